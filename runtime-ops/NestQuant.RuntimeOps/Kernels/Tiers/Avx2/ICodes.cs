namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>How the codes of an operand's full blocks lie in memory.</summary>
internal unsafe interface ICodes
{
    /// <summary>Bytes of a block.</summary>
    /// <param name="width">Width of a code.</param>
    static abstract int BlockBytes(int width);

    /// <summary>The codes of channels 8 * quarter to 8 * quarter + 7 of a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="width">Width of a code, known at compile time.</param>
    /// <param name="quarter">0 to 3, known at compile time.</param>
    static abstract QuarterCodes Quarter(byte* block, int width, int quarter);

    /// <summary>Asks the memory for what comes after a block, if it may not be in a cache.</summary>
    /// <param name="block">The block.</param>
    /// <param name="width">Width of a code, known at compile time.</param>
    static abstract void ReadAhead(byte* block, int width);
}
