namespace NestQuant.RuntimeOps.Packing;

/// <summary>The two operands that make up a nested weight.</summary>
public enum OperandRole
{
    /// <summary>W_high, the high bits.</summary>
    High,

    /// <summary>W_low, the low part.</summary>
    Low,
}
