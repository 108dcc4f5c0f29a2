using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>The product of a row of signed bytes and the codes of one or two operands.</summary>
/// <remarks>
/// vpmaddubsw adds two products of a code and an activation in 16 bits: exact for codes of up to 7 bits, since 2 * 127 * 128 is 32,512. Two
/// such sums can be added in 16 bits where codes have up to 6 bits, since 4 * 63 * 128 is 32,256, and those of several blocks where they
/// have up to 4. Another multiplication widens a sum to 32 bits, and applies the operand's power of two.
/// </remarks>
internal static unsafe class CodeProduct
{
    /// <summary>Adds the products with consecutive full blocks to the accumulators of 32 channels.</summary>
    /// <typeparam name="TCodes">How the codes lie in memory.</typeparam>
    /// <typeparam name="THigh">Width of the first operand's codes.</typeparam>
    /// <typeparam name="TLow">Width of the second one's, 0 where there is none.</typeparam>
    /// <param name="high">The first operand's blocks.</param>
    /// <param name="low">The second one's.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="highFactor">By what the first operand's products are multiplied: 1 to 64.</param>
    /// <param name="lowFactor">By what the second one's are.</param>
    /// <param name="row">8 * blocks activations less 128.</param>
    /// <param name="accumulators">32 accumulators, modulo 2^32.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Add<TCodes, THigh, TLow>(
        byte* high, byte* low, int blocks, int highFactor, int lowFactor, sbyte* row, int* accumulators)
        where TCodes : struct, ICodes
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
    {
        // In bounds: a block reads its bytes of each operand, and 8 activations.
        Vector256<short> f = Vector256.Create((short)highFactor), g = Vector256.Create((short)lowFactor);
        Vector256<int> a0 = Vector256.Load(accumulators), a1 = Vector256.Load(accumulators + 8);
        Vector256<int> a2 = Vector256.Load(accumulators + 16), a3 = Vector256.Load(accumulators + 24);
        while (blocks > 0)
        {
            Vector256<short> s0 = default, s1 = default, s2 = default, s3 = default;
            int count = AreGathered(TLow.Bits) ? Math.Min(blocks, BlocksPerSum(TLow.Bits)) : blocks;
            blocks -= count;
            for (; count > 0; count--, row += NestedLayout.BlockRows)
            {
                Vector256<sbyte> x = X86Avx2.BroadcastScalarToVector256((int*)row).AsSByte();
                Vector256<sbyte> y = X86Avx2.BroadcastScalarToVector256((int*)row + 1).AsSByte();
                TCodes.ReadAhead(high, THigh.Bits);
                a0 += Products(TCodes.Quarter(high, THigh.Bits, 0), x, y, THigh.Bits, f);
                a1 += Products(TCodes.Quarter(high, THigh.Bits, 1), x, y, THigh.Bits, f);
                a2 += Products(TCodes.Quarter(high, THigh.Bits, 2), x, y, THigh.Bits, f);
                a3 += Products(TCodes.Quarter(high, THigh.Bits, 3), x, y, THigh.Bits, f);
                high += TCodes.BlockBytes(THigh.Bits);
                if (TLow.Bits == 0)
                    continue;
                TCodes.ReadAhead(low, TLow.Bits);
                if (AreGathered(TLow.Bits))
                {
                    s0 += Sums(TCodes.Quarter(low, TLow.Bits, 0), x, y);
                    s1 += Sums(TCodes.Quarter(low, TLow.Bits, 1), x, y);
                    s2 += Sums(TCodes.Quarter(low, TLow.Bits, 2), x, y);
                    s3 += Sums(TCodes.Quarter(low, TLow.Bits, 3), x, y);
                }
                else
                {
                    a0 += Products(TCodes.Quarter(low, TLow.Bits, 0), x, y, TLow.Bits, g);
                    a1 += Products(TCodes.Quarter(low, TLow.Bits, 1), x, y, TLow.Bits, g);
                    a2 += Products(TCodes.Quarter(low, TLow.Bits, 2), x, y, TLow.Bits, g);
                    a3 += Products(TCodes.Quarter(low, TLow.Bits, 3), x, y, TLow.Bits, g);
                }

                low += TCodes.BlockBytes(TLow.Bits);
            }

            if (AreGathered(TLow.Bits))
            {
                a0 += X86Avx2.MultiplyAddAdjacent(s0, g);
                a1 += X86Avx2.MultiplyAddAdjacent(s1, g);
                a2 += X86Avx2.MultiplyAddAdjacent(s2, g);
                a3 += X86Avx2.MultiplyAddAdjacent(s3, g);
            }
        }

        a0.Store(accumulators);
        a1.Store(accumulators + 8);
        a2.Store(accumulators + 16);
        a3.Store(accumulators + 24);
    }

    /// <summary>Whether the second operand's sums of several blocks are added in 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool AreGathered(int width) => width is 2 or 3 or 4;

    /// <summary>Blocks whose sums fit in 16 bits together.</summary>
    private static int BlocksPerSum(int width) => short.MaxValue / (4 * 128 * ((1 << width) - 1));

    /// <summary>The sums of four products each, of codes of up to 6 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Sums(QuarterCodes codes, Vector256<sbyte> x, Vector256<sbyte> y) =>
        X86Avx2.MultiplyAddAdjacent(codes.First, x) + X86Avx2.MultiplyAddAdjacent(codes.Second, y);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Products(
        QuarterCodes codes, Vector256<sbyte> x, Vector256<sbyte> y, int width, Vector256<short> factor) =>
        width < 7
            ? X86Avx2.MultiplyAddAdjacent(Sums(codes, x, y), factor)
            : X86Avx2.MultiplyAddAdjacent(X86Avx2.MultiplyAddAdjacent(codes.First, x), factor)
                + X86Avx2.MultiplyAddAdjacent(X86Avx2.MultiplyAddAdjacent(codes.Second, y), factor);
}
