using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Products of rows with a panel by half as many multiplications (Winograd 1968, "A new algorithm for inner product").</summary>
/// <remarks>
/// x0 w0 + x2 w2 = (x0 + w2)(x2 + w0) - x0 x2 - w0 w2. The last two products belong to the row alone and to the channel alone, so they are
/// computed once (<see cref="InnerProductRows"/>, <see cref="InnerProductPanel"/>) and only one is left for every two weights. vpmaddwd
/// computes 16 of them exactly: sums of a centered activation and a weight have 10 bits. Accumulators are modulo 2^32, which the results
/// fit in. Where a processor starts one vector multiplication per cycle, but three additions, this is faster than any way of multiplying
/// bytes.
/// </remarks>
internal static unsafe class InnerProduct
{
    /// <summary>The most rows of one <see cref="Run"/>: a multiple of those of the register tile.</summary>
    public const int TileRows = 12;

    private const int RegisterRows = 4;
    private const int Channels = KernelTier.TileChannels;
    private const int Vector = InnerProductPanel.VectorChannels;

    /// <summary>See <see cref="KernelTier.Dot"/>.</summary>
    public static void Run(byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        short* weights = (short*)panel;
        int* corrections = InnerProductPanel.Corrections(weights, groups);
        for (int channel = firstChannel / Vector * Vector; channel < endChannel; channel += 2 * Vector)
        {
            bool isOneVector = endChannel - channel <= Vector;
            for (int row = 0; row < rowCount; row += RegisterRows)
            {
                short* x = (short*)(rows + row * rowStride);
                int* target = tile + row * Channels + channel;
                if (isOneVector)
                    OneVector(x, rowStride, rowCount - row, weights + 4 * channel, groups, corrections + channel, target);
                else if (row == rowCount - 1)
                    OneRow(x, weights + 4 * channel, groups, corrections + channel, target);
                else
                    TwoVectors(x, rowStride, rowCount - row, weights + 4 * channel, groups, corrections + channel, target);
            }
        }
    }

    /// <summary>Up to four rows by 16 channels.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void TwoVectors(short* x, nint rowStride, int rowCount, short* w, int groups, int* corrections, int* tile)
    {
        // In bounds: a group reads 4 values of each row and 64 weights, `groups` times. Missing rows repeat the last one; the tile has room
        // for them.
        nint last = rowCount - 1, stride = rowStride / sizeof(short);
        nint r1 = Math.Min(last, 1) * stride, r2 = Math.Min(last, 2) * stride, r3 = Math.Min(last, 3) * stride;
        short* end = x + (nint)groups * 4;
        Vector256<int> c0 = Vector256.Load(corrections), c1 = Vector256.Load(corrections + Vector);
        Vector256<int> a0 = c0 + RowCorrection(end), a1 = c1 + RowCorrection(end);
        Vector256<int> b0 = c0 + RowCorrection(end + r1), b1 = c1 + RowCorrection(end + r1);
        Vector256<int> d0 = c0 + RowCorrection(end + r2), d1 = c1 + RowCorrection(end + r2);
        Vector256<int> e0 = c0 + RowCorrection(end + r3), e1 = c1 + RowCorrection(end + r3);
        for (; x < end; x += 4, w += InnerProductPanel.GroupWeights)
        {
            Vector256<short> u0 = Vector256.Load(w), v0 = Vector256.Load(w + 16);
            Vector256<short> u1 = Vector256.Load(w + 32), v1 = Vector256.Load(w + 48);
            Vector256<short> p = Broadcast(x), q = Broadcast(x + 2);
            a0 += Products(p, q, u0, v0);
            a1 += Products(p, q, u1, v1);
            p = Broadcast(x + r1);
            q = Broadcast(x + r1 + 2);
            b0 += Products(p, q, u0, v0);
            b1 += Products(p, q, u1, v1);
            p = Broadcast(x + r2);
            q = Broadcast(x + r2 + 2);
            d0 += Products(p, q, u0, v0);
            d1 += Products(p, q, u1, v1);
            p = Broadcast(x + r3);
            q = Broadcast(x + r3 + 2);
            e0 += Products(p, q, u0, v0);
            e1 += Products(p, q, u1, v1);
        }

        DotProduct.StoreRow(a0, a1, tile);
        DotProduct.StoreRow(b0, b1, tile + Channels);
        DotProduct.StoreRow(d0, d1, tile + 2 * Channels);
        DotProduct.StoreRow(e0, e1, tile + 3 * Channels);
    }

    /// <summary>One row by 16 channels: what is left of maps of 7 by 7, for which four rows would take four times as long.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void OneRow(short* x, short* w, int groups, int* corrections, int* tile)
    {
        // In bounds: as for four rows.
        short* end = x + (nint)groups * 4;
        Vector256<int> a0 = Vector256.Load(corrections) + RowCorrection(end);
        Vector256<int> a1 = Vector256.Load(corrections + Vector) + RowCorrection(end);
        for (; x < end; x += 4, w += InnerProductPanel.GroupWeights)
        {
            Vector256<short> p = Broadcast(x), q = Broadcast(x + 2);
            a0 += Products(p, q, Vector256.Load(w), Vector256.Load(w + 16));
            a1 += Products(p, q, Vector256.Load(w + 32), Vector256.Load(w + 48));
        }

        DotProduct.StoreRow(a0, a1, tile);
    }

    /// <summary>Up to four rows by 8 channels, the only ones of a strip that are wanted.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void OneVector(short* x, nint rowStride, int rowCount, short* w, int groups, int* corrections, int* tile)
    {
        // In bounds: as for 16 channels.
        nint last = rowCount - 1, stride = rowStride / sizeof(short);
        nint r1 = Math.Min(last, 1) * stride, r2 = Math.Min(last, 2) * stride, r3 = Math.Min(last, 3) * stride;
        short* end = x + (nint)groups * 4;
        Vector256<int> c = Vector256.Load(corrections);
        Vector256<int> a = c + RowCorrection(end), b = c + RowCorrection(end + r1);
        Vector256<int> d = c + RowCorrection(end + r2), e = c + RowCorrection(end + r3);
        for (; x < end; x += 4, w += InnerProductPanel.GroupWeights)
        {
            Vector256<short> u = Vector256.Load(w), v = Vector256.Load(w + 16);
            a += Products(Broadcast(x), Broadcast(x + 2), u, v);
            b += Products(Broadcast(x + r1), Broadcast(x + r1 + 2), u, v);
            d += Products(Broadcast(x + r2), Broadcast(x + r2 + 2), u, v);
            e += Products(Broadcast(x + r3), Broadcast(x + r3 + 2), u, v);
        }

        a.Store(tile);
        b.Store(tile + Channels);
        d.Store(tile + 2 * Channels);
        e.Store(tile + 3 * Channels);
    }

    /// <summary>What a row adds to all of its accumulators.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> RowCorrection(short* endOfRow) => X86Avx2.BroadcastScalarToVector256((int*)endOfRow);

    /// <summary>Two values of a row, repeated for eight channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Broadcast(short* two) => X86Avx2.BroadcastScalarToVector256((int*)two).AsInt16();

    /// <summary>Two products for each of eight channels.</summary>
    /// <param name="p">Values 0 and 1 of a row's group, repeated.</param>
    /// <param name="q">Values 2 and 3.</param>
    /// <param name="u">The channels' weights 2 and 3.</param>
    /// <param name="v">The channels' weights 0 and 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Products(Vector256<short> p, Vector256<short> q, Vector256<short> u, Vector256<short> v) =>
        X86Avx2.MultiplyAddAdjacent(p + u, q + v);
}
