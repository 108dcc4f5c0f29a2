namespace NestQuant.RuntimeOps.Packing;

/// <summary>The integer weights of one block of an operand pair.</summary>
internal static class BlockValues
{
    /// <summary>Rebuilds w_int (or 2^l * w_high) of a block, modulo 256 as a signed byte.</summary>
    /// <param name="high">The block's bytes of the high operand.</param>
    /// <param name="low">The block's bytes of the low operand, or empty for part precision.</param>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="values">The block's 32 to 256 values, in the operands' order.</param>
    public static void Decode(ReadOnlySpan<byte> high, ReadOnlySpan<byte> low, NestedBits bits, Span<sbyte> values)
    {
        Span<byte> highCodes = stackalloc byte[NestedLayout.BlockValues];
        highCodes = highCodes[..values.Length];
        BitPlanes.Decode(high, bits.High, highCodes);
        int offset = Offset(bits, isPart: low.IsEmpty);
        if (low.IsEmpty)
        {
            for (int i = 0; i < values.Length; i++)
                values[i] = (sbyte)((highCodes[i] << bits.Shift) - offset);
            return;
        }

        Span<byte> lowCodes = stackalloc byte[NestedLayout.BlockValues];
        lowCodes = lowCodes[..values.Length];
        BitPlanes.Decode(low, bits.LowWidth, lowCodes);
        for (int i = 0; i < values.Length; i++)
            values[i] = (sbyte)((highCodes[i] << bits.Shift) + lowCodes[i] - offset);
    }

    /// <summary>What the codes carry beyond the value: 2^(n-1) from the high code, and 2^l from the low one.</summary>
    public static int Offset(NestedBits bits, bool isPart) => (1 << (bits.Full - 1)) + (isPart ? 0 : 1 << bits.Shift);
}
