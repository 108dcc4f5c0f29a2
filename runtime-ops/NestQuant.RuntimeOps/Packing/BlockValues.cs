using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>The integer weights of one block of a weight's operands.</summary>
internal static unsafe class BlockValues
{
    /// <summary>Rebuilds 2^(n-b) * w_b of a block at level b, modulo 256 as a signed byte.</summary>
    /// <param name="operands">The operands from the block on.</param>
    /// <param name="values">The block's 32 to 256 values, in the operands' order.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodCompilation.Loops)]
    public static void Decode(in LevelOperands operands, Span<sbyte> values)
    {
        // In bounds: a block of V values takes V * width / 8 bytes of each operand.
        Span<byte> total = MemoryMarshal.AsBytes(values);
        Span<byte> codes = stackalloc byte[NestedLayout.BlockValues];
        codes = codes[..values.Length];
        NestedBits bits = operands.Bits;
        for (int step = 0; step <= operands.Steps; step++)
        {
            int width = bits.WidthOfStep(step);
            BitPlanes.Decode(new ReadOnlySpan<byte>(operands[step], values.Length * width / 8), width, codes);

            // Blocks have 32 values per row.
            int shift = bits.Full - bits.LevelOfStep(step);
            Vector256<byte> offset = Vector256.Create((byte)(step == 0 ? Offset(bits, operands.Steps) : 0));
            for (int i = 0; i < codes.Length; i += Vector256<byte>.Count)
            {
                Vector256<byte> value = (Vector256.Create(codes.Slice(i, Vector256<byte>.Count)) << shift) - offset;
                Span<byte> target = total.Slice(i, Vector256<byte>.Count);
                (step == 0 ? value : value + Vector256.Create(target)).CopyTo(target);
            }
        }
    }

    /// <summary>What the codes of all operands add to the value: half the range of each code, in its place.</summary>
    /// <param name="bits">The weight's levels.</param>
    /// <param name="steps">The steps to the level of the value.</param>
    public static int Offset(NestedBits bits, int steps)
    {
        int offset = 0;
        for (int step = 0; step <= steps; step++)
            offset += 1 << (bits.WidthOfStep(step) - 1 + bits.Full - bits.LevelOfStep(step));
        return offset;
    }
}
