namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>What a jump depends on, by its number in the instruction; the comparison is signed.</summary>
internal enum Condition
{
    /// <summary>The last result was zero.</summary>
    Zero = 0x4,

    /// <summary>The last result was not zero.</summary>
    NotZero = 0x5,

    /// <summary>What was subtracted from was less.</summary>
    Less = 0xC,

    /// <summary>What was subtracted from was greater or equal.</summary>
    GreaterOrEqual = 0xD,
}
