using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Products of rows of bytes with a <see cref="SplitPanel"/>: its main part, then its excess.</summary>
internal static unsafe class SplitProduct
{
    /// <summary>The most rows of one <see cref="Run"/>: a multiple of those of both register tiles.</summary>
    public const int TileRows = 16;

    private const int MainRows = 4;
    private const int ExcessRows = 8;
    private const int StripChannels = 16;
    private const int GroupStride = KernelTier.TileChannels * 4;

    /// <summary>See <see cref="KernelTier.Dot"/>.</summary>
    public static void Run(byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        int firstStrip = firstChannel / StripChannels * StripChannels;
        for (int channel = firstStrip; channel < endChannel; channel += StripChannels)
        {
            bool isHalf = endChannel - channel <= SplitPanel.VectorChannels;
            for (int row = 0; row < rowCount; row += MainRows)
            {
                byte* x = rows + row * rowStride;
                int* target = tile + row * KernelTier.TileChannels + channel;
                if (isHalf)
                    MultiplyHalf(x, rowStride, rowCount - row, panel + channel * 4, groups, target);
                else if (row == rowCount - 1)
                    MultiplyRow(x, panel + channel * 4, groups, target);
                else
                    MultiplyMain(x, rowStride, rowCount - row, panel + channel * 4, groups, target);
            }
        }

        int firstVector = firstChannel / SplitPanel.VectorChannels;
        int endVector = (endChannel + SplitPanel.VectorChannels - 1) / SplitPanel.VectorChannels;
        for (int row = 0; row < rowCount; row += ExcessRows)
            AddExcess(
                rows + row * rowStride,
                rowStride,
                rowCount - row,
                panel,
                groups,
                firstVector,
                endVector,
                tile + row * KernelTier.TileChannels);
    }

    /// <summary>Up to four rows by the first 8 channels of a strip, the only ones that are wanted.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void MultiplyHalf(byte* rows, nint rowStride, int rowCount, sbyte* strip, int groups, int* tile)
    {
        // In bounds: as for 16 channels.
        nint last = rowCount - 1;
        byte* x = rows;
        byte* end = x + (nint)groups * 4;
        nint r1 = Math.Min(last, 1) * rowStride;
        nint r2 = Math.Min(last, 2) * rowStride;
        nint r3 = Math.Min(last, 3) * rowStride;
        Vector256<int> a = default, b = default, c = default, d = default;
        for (; x < end; x += 4, strip += GroupStride)
        {
            Vector256<sbyte> w = Vector256.Load(strip);
            a += DotProduct.Pairs(DotProduct.Broadcast(x), w);
            b += DotProduct.Pairs(DotProduct.Broadcast(x + r1), w);
            c += DotProduct.Pairs(DotProduct.Broadcast(x + r2), w);
            d += DotProduct.Pairs(DotProduct.Broadcast(x + r3), w);
        }

        a.Store(tile);
        b.Store(tile + KernelTier.TileChannels);
        c.Store(tile + 2 * KernelTier.TileChannels);
        d.Store(tile + 3 * KernelTier.TileChannels);
    }

    /// <summary>Up to four rows by 16 channels.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void MultiplyMain(byte* rows, nint rowStride, int rowCount, sbyte* strip, int groups, int* tile)
    {
        // In bounds: a group reads 4 activations of each row and 64 bytes of the strip, `groups` times. Missing rows repeat the last one;
        // the tile has room for them.
        nint last = rowCount - 1;
        byte* x = rows;
        byte* end = x + (nint)groups * 4;
        nint r1 = Math.Min(last, 1) * rowStride;
        nint r2 = Math.Min(last, 2) * rowStride;
        nint r3 = Math.Min(last, 3) * rowStride;
        Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default;
        Vector256<int> c0 = default, c1 = default, d0 = default, d1 = default;
        for (; x < end; x += 4, strip += GroupStride)
        {
            Vector256<sbyte> w0 = Vector256.Load(strip);
            Vector256<sbyte> w1 = Vector256.Load(strip + SplitPanel.VectorBytes);
            Vector256<byte> four = DotProduct.Broadcast(x);
            a0 += DotProduct.Pairs(four, w0);
            a1 += DotProduct.Pairs(four, w1);
            four = DotProduct.Broadcast(x + r1);
            b0 += DotProduct.Pairs(four, w0);
            b1 += DotProduct.Pairs(four, w1);
            four = DotProduct.Broadcast(x + r2);
            c0 += DotProduct.Pairs(four, w0);
            c1 += DotProduct.Pairs(four, w1);
            four = DotProduct.Broadcast(x + r3);
            d0 += DotProduct.Pairs(four, w0);
            d1 += DotProduct.Pairs(four, w1);
        }

        DotProduct.StoreRow(a0, a1, tile);
        DotProduct.StoreRow(b0, b1, tile + KernelTier.TileChannels);
        DotProduct.StoreRow(c0, c1, tile + 2 * KernelTier.TileChannels);
        DotProduct.StoreRow(d0, d1, tile + 3 * KernelTier.TileChannels);
    }

    /// <summary>One row by 16 channels: what is left of maps of 7 by 7, for which four rows would take four times as long.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void MultiplyRow(byte* x, sbyte* strip, int groups, int* tile)
    {
        // In bounds: as for four rows.
        byte* end = x + (nint)groups * 4;
        Vector256<int> a0 = default, a1 = default;
        for (; x < end; x += 4, strip += GroupStride)
        {
            Vector256<byte> four = DotProduct.Broadcast(x);
            a0 += DotProduct.Pairs(four, Vector256.Load(strip));
            a1 += DotProduct.Pairs(four, Vector256.Load(strip + SplitPanel.VectorBytes));
        }

        DotProduct.StoreRow(a0, a1, tile);
    }

    /// <summary>Up to eight rows by eights of channels; the products of a run are added in 16 bits.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void AddExcess(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstVector, int endVector, int* tile)
    {
        // In bounds: a run is a number of vectors and their groups, each one of the row's; the last run is empty. Missing rows repeat the
        // last one; the tile has room for them.
        nint last = rowCount - 1;
        nint r1 = Math.Min(last, 1) * rowStride;
        nint r2 = Math.Min(last, 2) * rowStride;
        nint r3 = Math.Min(last, 3) * rowStride;
        nint r4 = Math.Min(last, 4) * rowStride;
        nint r5 = Math.Min(last, 5) * rowStride;
        nint r6 = Math.Min(last, 6) * rowStride;
        nint r7 = Math.Min(last, 7) * rowStride;
        for (int vector = firstVector; vector < endVector; vector++)
        {
            sbyte* excess = SplitPanel.Excess(panel, groups, vector);
            ushort* runs = SplitPanel.Runs(panel, groups, vector);
            int* target = tile + vector * SplitPanel.VectorChannels;
            for (nint vectors = *runs++; vectors != 0; vectors = *runs++)
            {
                Vector256<short> s0 = default, s1 = default, s2 = default, s3 = default;
                Vector256<short> s4 = default, s5 = default, s6 = default, s7 = default;
                for (ushort* end = runs + vectors; runs < end; runs++, excess += SplitPanel.VectorBytes)
                {
                    byte* x = rows + (nint)(*runs) * 4;
                    Vector256<sbyte> w = Vector256.Load(excess);
                    s0 += Pairs(x, w);
                    s1 += Pairs(x + r1, w);
                    s2 += Pairs(x + r2, w);
                    s3 += Pairs(x + r3, w);
                    s4 += Pairs(x + r4, w);
                    s5 += Pairs(x + r5, w);
                    s6 += Pairs(x + r6, w);
                    s7 += Pairs(x + r7, w);
                }

                Add(s0, target);
                Add(s1, target + KernelTier.TileChannels);
                Add(s2, target + 2 * KernelTier.TileChannels);
                Add(s3, target + 3 * KernelTier.TileChannels);
                Add(s4, target + 4 * KernelTier.TileChannels);
                Add(s5, target + 5 * KernelTier.TileChannels);
                Add(s6, target + 6 * KernelTier.TileChannels);
                Add(s7, target + 7 * KernelTier.TileChannels);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Pairs(byte* four, Vector256<sbyte> w) => X86Avx2.MultiplyAddAdjacent(DotProduct.Broadcast(four), w);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(Vector256<short> pairs, int* accumulators) =>
        (Vector256.Load(accumulators) + X86Avx2.MultiplyAddAdjacent(pairs, Vector256<short>.One)).Store(accumulators);
}
