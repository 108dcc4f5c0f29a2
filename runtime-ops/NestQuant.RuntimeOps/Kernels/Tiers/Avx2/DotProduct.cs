using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Products of rows of bytes with a panel, summed exactly in 32 bits; <see cref="QuadPanel"/> says why they are exact.</summary>
internal static unsafe class DotProduct
{
    /// <summary>The most rows of one <see cref="Run"/>: a multiple of those of the register tile.</summary>
    public const int TileRows = 12;

    private const int StripChannels = 16;
    private const int GroupStride = KernelTier.TileChannels * 4;

    /// <summary>See <see cref="KernelTier.Dot"/>.</summary>
    public static void Run(byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        int firstStrip = firstChannel / StripChannels * StripChannels;
        for (int channel = firstStrip; channel < endChannel; channel += StripChannels)
        {
            for (int row = 0; row < rowCount; row += 4)
            {
                byte* x = rows + row * rowStride;
                int* target = tile + row * KernelTier.TileChannels + channel;
                if (row == rowCount - 1)
                    OneRow(x, panel + channel * 4, groups, target);
                else
                    FourRows(x, rowStride, rowCount - row, panel + channel * 4, groups, target);
            }
        }

        int shift = *QuadPanel.Shift(panel, groups);
        if (shift != 0)
            Shift(tile, rowCount, shift);
    }

    /// <summary>Four activations, repeated for eight channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<byte> Broadcast(byte* four) => X86Avx2.BroadcastScalarToVector256((int*)four).AsByte();

    /// <summary>Four products of each of eight channels, of which two fit in 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Pairs(Vector256<byte> x, Vector256<sbyte> w) =>
        X86Avx2.MultiplyAddAdjacent(X86Avx2.MultiplyAddAdjacent(x, w), Vector256<short>.One);

    /// <summary>Stores a row's accumulators of 16 channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreRow(Vector256<int> first, Vector256<int> second, int* accumulators)
    {
        first.Store(accumulators);
        second.Store(accumulators + 8);
    }

    /// <summary>Up to four rows by 16 channels, two groups of k added in 16 bits.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void FourRows(byte* rows, nint rowStride, int rowCount, sbyte* strip, int groups, int* tile)
    {
        // In bounds: a group reads 4 activations of each row and 64 bytes of the strip, `groups` times, an odd last one alone. Missing rows
        // repeat the last one; the tile has room for them.
        nint last = rowCount - 1;
        byte* x0 = rows;
        byte* end = x0 + (nint)(groups & ~1) * 4;
        nint r1 = Math.Min(last, 1) * rowStride;
        nint r2 = Math.Min(last, 2) * rowStride;
        nint r3 = Math.Min(last, 3) * rowStride;
        Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default;
        Vector256<int> c0 = default, c1 = default, d0 = default, d1 = default;
        for (; x0 < end; x0 += 8, strip += 2 * GroupStride)
        {
            Vector256<sbyte> w0 = Vector256.Load(strip);
            Vector256<sbyte> w1 = Vector256.Load(strip + 32);
            Vector256<sbyte> v0 = Vector256.Load(strip + GroupStride);
            Vector256<sbyte> v1 = Vector256.Load(strip + GroupStride + 32);
            Vector256<byte> x = Broadcast(x0);
            Vector256<byte> y = Broadcast(x0 + 4);
            a0 += Quads(x, w0, y, v0);
            a1 += Quads(x, w1, y, v1);
            x = Broadcast(x0 + r1);
            y = Broadcast(x0 + r1 + 4);
            b0 += Quads(x, w0, y, v0);
            b1 += Quads(x, w1, y, v1);
            x = Broadcast(x0 + r2);
            y = Broadcast(x0 + r2 + 4);
            c0 += Quads(x, w0, y, v0);
            c1 += Quads(x, w1, y, v1);
            x = Broadcast(x0 + r3);
            y = Broadcast(x0 + r3 + 4);
            d0 += Quads(x, w0, y, v0);
            d1 += Quads(x, w1, y, v1);
        }

        if ((groups & 1) != 0)
        {
            Vector256<sbyte> w0 = Vector256.Load(strip);
            Vector256<sbyte> w1 = Vector256.Load(strip + 32);
            a0 += Pairs(Broadcast(x0), w0);
            a1 += Pairs(Broadcast(x0), w1);
            b0 += Pairs(Broadcast(x0 + r1), w0);
            b1 += Pairs(Broadcast(x0 + r1), w1);
            c0 += Pairs(Broadcast(x0 + r2), w0);
            c1 += Pairs(Broadcast(x0 + r2), w1);
            d0 += Pairs(Broadcast(x0 + r3), w0);
            d1 += Pairs(Broadcast(x0 + r3), w1);
        }

        StoreRow(a0, a1, tile);
        StoreRow(b0, b1, tile + KernelTier.TileChannels);
        StoreRow(c0, c1, tile + 2 * KernelTier.TileChannels);
        StoreRow(d0, d1, tile + 3 * KernelTier.TileChannels);
    }

    /// <summary>One row by 16 channels: what is left of maps of 7 by 7, for which four rows would take four times as long.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void OneRow(byte* x, sbyte* strip, int groups, int* tile)
    {
        // In bounds: as for four rows.
        byte* end = x + (nint)(groups & ~1) * 4;
        Vector256<int> a0 = default, a1 = default;
        for (; x < end; x += 8, strip += 2 * GroupStride)
        {
            Vector256<byte> first = Broadcast(x), second = Broadcast(x + 4);
            a0 += Quads(first, Vector256.Load(strip), second, Vector256.Load(strip + GroupStride));
            a1 += Quads(first, Vector256.Load(strip + 32), second, Vector256.Load(strip + GroupStride + 32));
        }

        if ((groups & 1) != 0)
        {
            a0 += Pairs(Broadcast(x), Vector256.Load(strip));
            a1 += Pairs(Broadcast(x), Vector256.Load(strip + 32));
        }

        StoreRow(a0, a1, tile);
    }

    private static void Shift(int* tile, int rowCount, int shift)
    {
        for (int i = 0; i < rowCount * KernelTier.TileChannels; i += Vector256<int>.Count)
            (Vector256.Load(tile + i) << shift).Store(tile + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Quads(Vector256<byte> x, Vector256<sbyte> w, Vector256<byte> y, Vector256<sbyte> v) =>
        X86Avx2.MultiplyAddAdjacent(X86Avx2.MultiplyAddAdjacent(x, w) + X86Avx2.MultiplyAddAdjacent(y, v), Vector256<short>.One);
}
