namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>A position in the code that jumps can refer to before or after it is known.</summary>
internal sealed class Label
{
    /// <summary>Offset in the code, or null until <see cref="Assembler.Bind"/>.</summary>
    public int? Position { get; set; }

    /// <summary>Offsets of the 32-bit distances that wait for the position.</summary>
    public List<int> Pending { get; } = [];
}
