using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NestQuant.RuntimeOps.Kernels.Execution;

/// <summary>
/// The stack of a thread's <see cref="Scratch"/> memory: one block, which grows to what was needed once it is empty, and is freed after the
/// thread's end.
/// </summary>
internal sealed unsafe class ScratchStack : SafeHandleZeroOrMinusOneIsInvalid
{
    private const int Alignment = 64;

    // A larger block is not kept: it would stay for as long as the thread.
    private const nint MostKept = 64 << 20;

    [ThreadStatic]
    private static ScratchStack? t_current;

    private nint _capacity;
    private nint _used;
    private nint _mostUsed;

    /// <summary>Makes an empty stack.</summary>
    public ScratchStack()
        : base(ownsHandle: true)
    {
    }

    /// <summary>The calling thread's stack.</summary>
    public static ScratchStack OfThisThread => t_current ??= new ScratchStack();

    /// <summary>Takes memory; what does not fit in the block is allocated for itself.</summary>
    public byte* Push(nint bytes)
    {
        nint start = _used;
        _used = checked(_used + Aligned(bytes));
        _mostUsed = Math.Max(_mostUsed, _used);
        return _used <= _capacity ? (byte*)handle + start : Allocate(Aligned(bytes));
    }

    /// <summary>Gives back the memory that was taken last.</summary>
    public void Pop(byte* address, nint bytes)
    {
        if (_used > _capacity)
            NativeMemory.AlignedFree(address);
        _used -= Aligned(bytes);
        if (_used == 0 && _mostUsed > _capacity && _mostUsed <= MostKept)
        {
            ReleaseHandle();
            SetHandle((nint)Allocate(_mostUsed));
            _capacity = _mostUsed;
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        _capacity = 0;
        return true;
    }

    private static byte* Allocate(nint bytes) => (byte*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);

    private static nint Aligned(nint bytes) => checked(bytes + Alignment - 1) & -Alignment;
}
