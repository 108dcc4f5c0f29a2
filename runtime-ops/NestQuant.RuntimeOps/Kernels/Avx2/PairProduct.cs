using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>
/// Rows of 16-bit numbers times 16 channels: vpmaddwd multiplies a pair of a row's values, repeated, with the pairs of eight channels, and
/// adds the two products in 32 bits.
/// </summary>
internal static unsafe class PairProduct
{
    /// <summary>Channels of a strip.</summary>
    public const int StripChannels = 16;

    /// <summary>The most rows of one call: those whose sums fit in the registers.</summary>
    public const int MaxRows = 6;

    private const int FewRows = 4;

    /// <summary>Multiplies rows with a strip; sums are modulo 2^32.</summary>
    /// <param name="rows">rowCount rows of 2 * pairs values.</param>
    /// <param name="rowStride">Values from one row to the next.</param>
    /// <param name="rowCount">1 to <see cref="MaxRows"/>.</param>
    /// <param name="strip">The weights, <c>[pair][channel 16][2]</c>.</param>
    /// <param name="pairs">Pairs of values of a row.</param>
    /// <param name="sums">Receives 16 sums for each of <see cref="MaxRows"/> rows; those of rows that are missing are undefined.</param>
    /// <param name="sumsStride">Sums from one row to the next.</param>
    /// <param name="adds">Whether to add to the sums that are there.</param>
    public static void Run(short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* sums, nint sumsStride, bool adds)
    {
        if (rowCount <= FewRows)
            FourRows(rows, rowStride, rowCount, strip, pairs, sums, sumsStride, adds);
        else
            SixRows(rows, rowStride, rowCount, strip, pairs, sums, sumsStride, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixRows(short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* sums, nint sumsStride, bool adds)
    {
        // In bounds: a step reads 2 values of each row and 32 weights of the strip, `pairs` times. The last row takes the place of
        // those that are missing; the sums have room for them.
        short* x0 = rows;
        short* end = x0 + (nint)pairs * 2;
        nint r1 = rowStride;
        nint r2 = 2 * rowStride;
        nint r3 = 3 * rowStride;
        nint r4 = 4 * rowStride;
        nint r5 = Math.Min(rowCount - 1, 5) * rowStride;
        Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default;
        Vector256<int> d0 = default, d1 = default, e0 = default, e1 = default, f0 = default, f1 = default;
        if (adds)
        {
            (a0, a1) = Load(sums);
            (b0, b1) = Load(sums + sumsStride);
            (c0, c1) = Load(sums + 2 * sumsStride);
            (d0, d1) = Load(sums + 3 * sumsStride);
            (e0, e1) = Load(sums + 4 * sumsStride);
            (f0, f1) = Load(sums + 5 * sumsStride);
        }

        for (; x0 < end; x0 += 2, strip += StripChannels * 2)
        {
            Vector256<short> w0 = Vector256.Load(strip);
            Vector256<short> w1 = Vector256.Load(strip + 16);
            Vector256<short> x = Broadcast(x0);
            a0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            a1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Broadcast(x0 + r1);
            b0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            b1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Broadcast(x0 + r2);
            c0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            c1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Broadcast(x0 + r3);
            d0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            d1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Broadcast(x0 + r4);
            e0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            e1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Broadcast(x0 + r5);
            f0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            f1 += X86Avx2.MultiplyAddAdjacent(x, w1);
        }

        Store(a0, a1, sums);
        Store(b0, b1, sums + sumsStride);
        Store(c0, c1, sums + 2 * sumsStride);
        Store(d0, d1, sums + 3 * sumsStride);
        Store(e0, e1, sums + 4 * sumsStride);
        Store(f0, f1, sums + 5 * sumsStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourRows(short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* sums, nint sumsStride, bool adds)
    {
        // In bounds: as for six rows.
        nint last = rowCount - 1;
        short* x0 = rows;
        short* end = x0 + (nint)pairs * 2;
        nint r1 = Math.Min(last, 1) * rowStride;
        nint r2 = Math.Min(last, 2) * rowStride;
        nint r3 = Math.Min(last, 3) * rowStride;
        Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default;
        Vector256<int> c0 = default, c1 = default, d0 = default, d1 = default;
        if (adds)
        {
            (a0, a1) = Load(sums);
            (b0, b1) = Load(sums + sumsStride);
            (c0, c1) = Load(sums + 2 * sumsStride);
            (d0, d1) = Load(sums + 3 * sumsStride);
        }

        for (; x0 < end; x0 += 2, strip += StripChannels * 2)
        {
            Vector256<short> w0 = Vector256.Load(strip);
            Vector256<short> w1 = Vector256.Load(strip + 16);
            Vector256<short> x = Broadcast(x0);
            a0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            a1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Broadcast(x0 + r1);
            b0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            b1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Broadcast(x0 + r2);
            c0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            c1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Broadcast(x0 + r3);
            d0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            d1 += X86Avx2.MultiplyAddAdjacent(x, w1);
        }

        Store(a0, a1, sums);
        Store(b0, b1, sums + sumsStride);
        Store(c0, c1, sums + 2 * sumsStride);
        Store(d0, d1, sums + 3 * sumsStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Broadcast(short* two) => X86Avx2.BroadcastScalarToVector256((int*)two).AsInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> First, Vector256<int> Second) Load(int* sums) => (Vector256.Load(sums), Vector256.Load(sums + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> first, Vector256<int> second, int* sums)
    {
        first.Store(sums);
        second.Store(sums + 8);
    }
}
