using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions;

/// <summary>Operands of a weight in memory of their own, which kernels must not read beyond.</summary>
internal sealed unsafe class GuardedOperands(params byte[][] operands) : IDisposable
{
    private readonly GuardedMemory[] _operands = [.. operands.Select(static operand => new GuardedMemory(operand))];

    public LevelOperands At(NestedBits bits, int level) =>
        new(bits, level, [.. _operands.Select(static operand => (nint)operand.Address)]);

    public void Dispose() => Array.ForEach(_operands, static operand => operand.Dispose());
}
