using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>The integer weights of one block of an operand pair.</summary>
internal static class BlockValues
{
    /// <summary>Rebuilds w_int (or 2^l * w_high) of a block, modulo 256 as a signed byte.</summary>
    /// <param name="high">The block's bytes of the high operand.</param>
    /// <param name="low">The block's bytes of the low operand, or empty for part precision.</param>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="values">The block's 32 to 256 values, in the operands' order.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Decode(ReadOnlySpan<byte> high, ReadOnlySpan<byte> low, NestedBits bits, Span<sbyte> values)
    {
        Span<byte> highCodes = stackalloc byte[NestedLayout.BlockValues];
        highCodes = highCodes[..values.Length];
        BitPlanes.Decode(high, bits.High, highCodes);
        Span<byte> lowCodes = stackalloc byte[NestedLayout.BlockValues];
        lowCodes = lowCodes[..values.Length];
        if (low.IsEmpty)
            lowCodes.Clear();
        else
            BitPlanes.Decode(low, bits.LowWidth, lowCodes);

        // Blocks have 32 values per row.
        Vector256<byte> offset = Vector256.Create((byte)Offset(bits, isPart: low.IsEmpty));
        for (int i = 0; i < values.Length; i += Vector256<byte>.Count)
        {
            Vector256<byte> value = (
                Vector256.Create(
                    highCodes.Slice(i, Vector256<byte>.Count)) << bits.Shift) + Vector256.Create(lowCodes.Slice(i, Vector256<byte>.Count));
            (value - offset).AsSByte().CopyTo(values[i..]);
        }
    }

    /// <summary>The offset that the codes add to the value: 2^(n-1) in the high code, and 2^l in the low one.</summary>
    public static int Offset(NestedBits bits, bool isPart) => (1 << (bits.Full - 1)) + (isPart ? 0 : 1 << bits.Shift);
}
