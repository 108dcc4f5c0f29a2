using System.Buffers;
using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Kernels.Execution;

/// <summary>Uninitialized memory from the process's pool, aligned to a cache line.</summary>
internal readonly unsafe struct AlignedMemory : IDisposable
{
    private const int Alignment = 64;

    private readonly byte[] _array;
    private readonly GCHandle _pin;

    /// <summary>Rents memory.</summary>
    /// <param name="bytes">How much; 0 for none.</param>
    public AlignedMemory(long bytes)
    {
        _array = bytes == 0 ? [] : ArrayPool<byte>.Shared.Rent(checked((int)(bytes + Alignment - 1)));
        _pin = GCHandle.Alloc(_array, GCHandleType.Pinned);
        Address = (byte*)((_pin.AddrOfPinnedObject() + Alignment - 1) & -Alignment);
    }

    /// <summary>The first byte.</summary>
    public byte* Address { get; }

    /// <summary>Returns the memory.</summary>
    public void Dispose()
    {
        _pin.Free();
        if (_array.Length > 0)
            ArrayPool<byte>.Shared.Return(_array);
    }
}
