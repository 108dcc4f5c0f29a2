namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>The address base + index * scale + displacement.</summary>
/// <param name="Base">The base register.</param>
/// <param name="Displacement">Bytes to add.</param>
internal readonly record struct MemoryOperand(Register Base, int Displacement = 0)
{
    /// <summary>The index register; null for none, and never rsp, whose number means "none" in the encoding.</summary>
    public Register? Index { get; init; }

    /// <summary>What the index is multiplied by: 1, 2, 4 or 8.</summary>
    public int Scale { get; init; } = 1;
}
