using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// The last panels of a weight's operands, completed to 32 channels, for layouts that store fewer: kernels read whole panels. A panel is
/// completed when a run first needs it, and kept.
/// </summary>
/// <param name="layout">A layout with a narrow panel.</param>
internal sealed unsafe class LastPanels(NestedLayout layout)
{
    private readonly byte[]?[] _wide = new byte[layout.Bits.Count][];

    /// <summary>The last panels of operands, which must be the same at every call; valid as long as this object is referenced.</summary>
    public LevelOperands Of(in LevelOperands operands)
    {
        Span<nint> addresses = stackalloc nint[operands.Steps + 1];
        for (int step = 0; step <= operands.Steps; step++)
            addresses[step] = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(Wide(step, operands[step])));
        return new LevelOperands(layout.Bits, operands.Level, addresses);
    }

    private byte[] Wide(int step, byte* operand)
    {
        if (Volatile.Read(ref _wide[step]) is { } known)
            return known;
        byte[] wide = GC.AllocateUninitializedArray<byte>((int)layout.PanelBytes(step), pinned: true);
        // In bounds: the operand has the layout's length, of which its last panel is a part.
        long start = (layout.Panels - 1) * layout.PanelBytes(step);
        PanelCodec.Widen(layout, step, new ReadOnlySpan<byte>(operand + start, (int)(layout.PanelsLength(step) - start)), wide);
        return Interlocked.CompareExchange(ref _wide[step], wide, null) ?? wide;
    }
}
