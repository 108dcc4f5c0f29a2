using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>One row by the codes of two operands.</summary>
internal static unsafe class CodeProduct
{
    /// <summary>What is subtracted from a code before it is multiplied.</summary>
    /// <param name="width">Width of the code.</param>
    public static int Subtrahend(int width) => width == 7 ? 64 : 0;

    /// <summary>Adds the products.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add<TCodes, THigh, TLow>(
        byte* high, byte* low, int blocks, int highFactor, int lowFactor, byte* row, int* accumulators)
        where TCodes : struct, ICodes
        where THigh : struct, IBitWidth
        where TLow : struct, IBitWidth
    {
        Vector256<short> f = Vector256.Create((short)highFactor), g = Vector256.Create((short)lowFactor);
        Vector256<int> a0 = Vector256.Load(accumulators), a1 = Vector256.Load(accumulators + 8);
        Vector256<int> a2 = Vector256.Load(accumulators + 16), a3 = Vector256.Load(accumulators + 24);
        int run = Math.Min(Run<THigh>(), Run<TLow>());
        while (blocks > 0)
        {
            Vector256<short> h0 = default, h1 = default, h2 = default, h3 = default;
            Vector256<short> l0 = default, l1 = default, l2 = default, l3 = default;
            int count = Math.Min(run, blocks);
            blocks -= count;
            do
            {
                Vector256<byte> x = X86Avx2.BroadcastScalarToVector256((int*)row).AsByte();
                Vector256<byte> y = X86Avx2.BroadcastScalarToVector256((int*)row + 1).AsByte();
                if (THigh.Bits <= 4)
                {
                    h0 += Fours(x, y, TCodes.Quarter(high, THigh.Bits, 0));
                    h1 += Fours(x, y, TCodes.Quarter(high, THigh.Bits, 1));
                    h2 += Fours(x, y, TCodes.Quarter(high, THigh.Bits, 2));
                    h3 += Fours(x, y, TCodes.Quarter(high, THigh.Bits, 3));
                }
                else
                {
                    a0 += Wide(x, y, TCodes.Quarter(high, THigh.Bits, 0), THigh.Bits, f);
                    a1 += Wide(x, y, TCodes.Quarter(high, THigh.Bits, 1), THigh.Bits, f);
                    a2 += Wide(x, y, TCodes.Quarter(high, THigh.Bits, 2), THigh.Bits, f);
                    a3 += Wide(x, y, TCodes.Quarter(high, THigh.Bits, 3), THigh.Bits, f);
                }

                if (TLow.Bits > 4)
                {
                    a0 += Wide(x, y, TCodes.Quarter(low, TLow.Bits, 0), TLow.Bits, g);
                    a1 += Wide(x, y, TCodes.Quarter(low, TLow.Bits, 1), TLow.Bits, g);
                    a2 += Wide(x, y, TCodes.Quarter(low, TLow.Bits, 2), TLow.Bits, g);
                    a3 += Wide(x, y, TCodes.Quarter(low, TLow.Bits, 3), TLow.Bits, g);
                }
                else if (TLow.Bits != 0)
                {
                    l0 += Fours(x, y, TCodes.Quarter(low, TLow.Bits, 0));
                    l1 += Fours(x, y, TCodes.Quarter(low, TLow.Bits, 1));
                    l2 += Fours(x, y, TCodes.Quarter(low, TLow.Bits, 2));
                    l3 += Fours(x, y, TCodes.Quarter(low, TLow.Bits, 3));
                }

                low += TCodes.BlockBytes<TLow>();
                high += TCodes.BlockBytes<THigh>();
                row += 8;
            }
            while (--count > 0);
            if (THigh.Bits <= 4)
            {
                a0 += X86Avx2.MultiplyAddAdjacent(h0, f);
                a1 += X86Avx2.MultiplyAddAdjacent(h1, f);
                a2 += X86Avx2.MultiplyAddAdjacent(h2, f);
                a3 += X86Avx2.MultiplyAddAdjacent(h3, f);
            }

            if (TLow.Bits is > 0 and <= 4)
            {
                a0 += X86Avx2.MultiplyAddAdjacent(l0, g);
                a1 += X86Avx2.MultiplyAddAdjacent(l1, g);
                a2 += X86Avx2.MultiplyAddAdjacent(l2, g);
                a3 += X86Avx2.MultiplyAddAdjacent(l3, g);
            }
        }

        a0.Store(accumulators);
        a1.Store(accumulators + 8);
        a2.Store(accumulators + 16);
        a3.Store(accumulators + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Run<TWidth>()
        where TWidth : struct, IBitWidth => TWidth.Bits switch { 2 => 8, 3 => 4, 4 => 2, _ => int.MaxValue };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Fours(Vector256<byte> x, Vector256<byte> y, QuarterCodes w) =>
        X86Avx2.MultiplyAddAdjacent(x, w.First.AsSByte()) + X86Avx2.MultiplyAddAdjacent(y, w.Second.AsSByte());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Wide(Vector256<byte> x, Vector256<byte> y, QuarterCodes w, int width, Vector256<short> factor)
    {
        if (width == 5)
            return X86Avx2.MultiplyAddAdjacent(Fours(x, y, w), factor);
        if (width == 7)
        {
            w.First -= Vector256.Create((byte)64);
            w.Second -= Vector256.Create((byte)64);
        }

        return X86Avx2.MultiplyAddAdjacent(X86Avx2.MultiplyAddAdjacent(x, w.First.AsSByte()), factor)
            + X86Avx2.MultiplyAddAdjacent(X86Avx2.MultiplyAddAdjacent(y, w.Second.AsSByte()), factor);
    }
}
