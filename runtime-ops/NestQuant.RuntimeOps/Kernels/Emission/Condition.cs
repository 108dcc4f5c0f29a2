namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>The condition of a jump, by its number in the instruction; the comparison is signed.</summary>
internal enum Condition
{
    /// <summary>The last result was zero.</summary>
    Zero = 0x4,

    /// <summary>The last result was not zero.</summary>
    NotZero = 0x5,

    /// <summary>The left operand of a subtraction was less.</summary>
    Less = 0xC,

    /// <summary>The left operand of a subtraction was greater or equal.</summary>
    GreaterOrEqual = 0xD,
}
