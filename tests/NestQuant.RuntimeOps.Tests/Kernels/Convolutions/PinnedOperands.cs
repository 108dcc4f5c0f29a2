using System.Buffers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions;

/// <summary>Operands of a weight that do not move while kernels read them.</summary>
internal sealed unsafe class PinnedOperands(params byte[][] operands) : IDisposable
{
    private readonly MemoryHandle[] _handles = [.. operands.Select(static operand => operand.AsMemory().Pin())];

    public LevelOperands At(NestedBits bits, int level) =>
        new(bits, level, [.. _handles.Select(static handle => (nint)handle.Pointer)]);

    public void Dispose() => Array.ForEach(_handles, static handle => handle.Dispose());
}
