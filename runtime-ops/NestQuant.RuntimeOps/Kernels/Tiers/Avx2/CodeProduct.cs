using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>The product of a row of bytes and the codes of one or two operands.</summary>
/// <remarks>
/// vpmaddubsw adds two products of an activation and a code in 16 bits: exact for codes of up to 6 bits, since 2 * 255 * 63 is 32,130, and
/// for those of 7 bits less 64. Two such sums can be added in 16 bits where codes have up to 5 bits: 4 * 255 * 31 is 31,620.
/// </remarks>
internal static unsafe class CodeProduct
{
    private const byte Half = 64;

    /// <summary>What is subtracted from a code before it is multiplied.</summary>
    /// <param name="width">Width of the code.</param>
    public static int Subtrahend(int width) => width == 7 ? Half : 0;

    /// <summary>Adds the products with consecutive full blocks to the accumulators of 32 channels.</summary>
    /// <typeparam name="TCodes">How the codes lie in memory.</typeparam>
    /// <typeparam name="THigh">Width of the first operand's codes.</typeparam>
    /// <typeparam name="TLow">Width of the second one's, 0 where there is none.</typeparam>
    /// <param name="high">The first operand's blocks.</param>
    /// <param name="low">The second one's.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="highFactor">By what the first operand's products are multiplied: 1 to 64.</param>
    /// <param name="lowFactor">By what the second one's are.</param>
    /// <param name="row">8 * blocks activations.</param>
    /// <param name="accumulators">32 accumulators, modulo 2^32.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Add<TCodes, THigh, TLow>(
        byte* high, byte* low, int blocks, int highFactor, int lowFactor, byte* row, int* accumulators)
        where TCodes : struct, ICodes
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
    {
        // In bounds: a block reads its bytes of each operand, and 8 activations.
        Vector256<short> f = Vector256.Create((short)highFactor), g = Vector256.Create((short)lowFactor);
        Vector256<int> a0 = Vector256.Load(accumulators), a1 = Vector256.Load(accumulators + 8);
        Vector256<int> a2 = Vector256.Load(accumulators + 16), a3 = Vector256.Load(accumulators + 24);
        for (; blocks > 0; blocks--, row += NestedLayout.BlockRows)
        {
            Vector256<byte> x = X86Avx2.BroadcastScalarToVector256((int*)row).AsByte();
            Vector256<byte> y = X86Avx2.BroadcastScalarToVector256((int*)row + 1).AsByte();
            a0 += Products(x, y, TCodes.Quarter(high, THigh.Bits, 0), THigh.Bits, f);
            a1 += Products(x, y, TCodes.Quarter(high, THigh.Bits, 1), THigh.Bits, f);
            a2 += Products(x, y, TCodes.Quarter(high, THigh.Bits, 2), THigh.Bits, f);
            a3 += Products(x, y, TCodes.Quarter(high, THigh.Bits, 3), THigh.Bits, f);
            high += TCodes.BlockBytes(THigh.Bits);
            if (TLow.Bits == 0)
                continue;
            a0 += Products(x, y, TCodes.Quarter(low, TLow.Bits, 0), TLow.Bits, g);
            a1 += Products(x, y, TCodes.Quarter(low, TLow.Bits, 1), TLow.Bits, g);
            a2 += Products(x, y, TCodes.Quarter(low, TLow.Bits, 2), TLow.Bits, g);
            a3 += Products(x, y, TCodes.Quarter(low, TLow.Bits, 3), TLow.Bits, g);
            low += TCodes.BlockBytes(TLow.Bits);
        }

        a0.Store(accumulators);
        a1.Store(accumulators + 8);
        a2.Store(accumulators + 16);
        a3.Store(accumulators + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Products(Vector256<byte> x, Vector256<byte> y, QuarterCodes codes, int width, Vector256<short> factor)
    {
        if (width == 7)
        {
            codes.First -= Vector256.Create(Half);
            codes.Second -= Vector256.Create(Half);
        }

        Vector256<short> first = X86Avx2.MultiplyAddAdjacent(x, codes.First.AsSByte());
        Vector256<short> second = X86Avx2.MultiplyAddAdjacent(y, codes.Second.AsSByte());
        return width <= 5
            ? X86Avx2.MultiplyAddAdjacent(first + second, factor)
            : X86Avx2.MultiplyAddAdjacent(first, factor) + X86Avx2.MultiplyAddAdjacent(second, factor);
    }
}
