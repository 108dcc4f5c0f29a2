using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// Rows of 16-bit numbers times 16 channels: vpmaddwd multiplies a repeated pair of a row's values by the pairs of eight channels, and adds
/// the two products in 32 bits.
/// </summary>
internal static unsafe class PairProduct
{
    /// <summary>Channels of a strip.</summary>
    public const int StripChannels = 16;

    /// <summary>The most rows of one call: those whose accumulators fit in the registers.</summary>
    public const int MaxRows = 6;

    private const int FewRows = 4;

    /// <summary>Multiplies rows with a strip; accumulators are modulo 2^32.</summary>
    /// <param name="rows">rowCount rows of 2 * pairs values.</param>
    /// <param name="rowStride">Values from one row to the next.</param>
    /// <param name="rowCount">1 to <see cref="MaxRows"/>.</param>
    /// <param name="strip">The weights, <c>[pair][channel 16][2]</c>.</param>
    /// <param name="pairs">Pairs of values of a row.</param>
    /// <param name="accumulators">Receives 16 accumulators for each of <see cref="MaxRows"/> rows; those of missing rows are
    /// undefined.</param>
    /// <param name="stride">Accumulators from one row to the next.</param>
    /// <param name="adds">Whether to add to the existing values instead of starting at 0.</param>
    public static void Run(short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* accumulators, nint stride, bool adds)
    {
        if (rowCount <= FewRows)
            FourRows(rows, rowStride, rowCount, strip, pairs, accumulators, stride, adds);
        else
            SixRows(rows, rowStride, rowCount, strip, pairs, accumulators, stride, adds);
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void SixRows(
        short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* accumulators, nint stride, bool adds)
    {
        // In bounds: a step reads 2 values of each row and 32 weights of the strip, `pairs` times. Missing rows repeat the last one; the
        // accumulators have room for them.
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
            (a0, a1) = Load(accumulators);
            (b0, b1) = Load(accumulators + stride);
            (c0, c1) = Load(accumulators + 2 * stride);
            (d0, d1) = Load(accumulators + 3 * stride);
            (e0, e1) = Load(accumulators + 4 * stride);
            (f0, f1) = Load(accumulators + 5 * stride);
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

        Store(a0, a1, accumulators);
        Store(b0, b1, accumulators + stride);
        Store(c0, c1, accumulators + 2 * stride);
        Store(d0, d1, accumulators + 3 * stride);
        Store(e0, e1, accumulators + 4 * stride);
        Store(f0, f1, accumulators + 5 * stride);
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void FourRows(
        short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* accumulators, nint stride, bool adds)
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
            (a0, a1) = Load(accumulators);
            (b0, b1) = Load(accumulators + stride);
            (c0, c1) = Load(accumulators + 2 * stride);
            (d0, d1) = Load(accumulators + 3 * stride);
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

        Store(a0, a1, accumulators);
        Store(b0, b1, accumulators + stride);
        Store(c0, c1, accumulators + 2 * stride);
        Store(d0, d1, accumulators + 3 * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Broadcast(short* two) => X86Avx2.BroadcastScalarToVector256((int*)two).AsInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> First, Vector256<int> Second) Load(int* accumulators) =>
        (Vector256.Load(accumulators), Vector256.Load(accumulators + 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> first, Vector256<int> second, int* accumulators)
    {
        first.Store(accumulators);
        second.Store(accumulators + 8);
    }
}
