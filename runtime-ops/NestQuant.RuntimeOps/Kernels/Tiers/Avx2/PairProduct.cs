using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// Rows of 16-bit numbers times 16 channels: vpmaddwd multiplies a repeated pair of a row's values by the pairs of eight channels, and adds
/// the two products in 32 bits.
/// </summary>
internal sealed unsafe class PairProduct : WinogradProduct
{
    private const int Channels = 16;
    private const int FewRows = 4;

    // As many rows have accumulators in registers.
    private const int ManyRows = 6;

    // With fewer tiles, or fewer outputs of a tile that exist, the transforms cost more than the products save.
    private const int LeastTiles = 4;
    private const int LeastTilePositions = 8;

    /// <inheritdoc/>
    public override int StripChannels => Channels;

    /// <inheritdoc/>
    public override int SpareRows => ManyRows - 1;

    /// <inheritdoc/>
    public override int LeastPartTiles => 24;

    /// <inheritdoc/>
    public override bool Pays(in WinogradShape shape) =>
        shape.Tiles >= LeastTiles && shape.Positions >= shape.Tiles * LeastTilePositions;

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override void Multiply(short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* accumulators, bool adds)
    {
        for (; rowCount > 0; rowCount -= ManyRows, rows += ManyRows * rowStride, accumulators += ManyRows * TileDistance)
        {
            if (rowCount <= FewRows)
                FourRows(rows, rowStride, rowCount, strip, pairs, accumulators, adds);
            else
                SixRows(rows, rowStride, rowCount, strip, pairs, accumulators, adds);
        }
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void SixRows(
        short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* accumulators, bool adds)
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
            (b0, b1) = Load(accumulators + TileDistance);
            (c0, c1) = Load(accumulators + 2 * TileDistance);
            (d0, d1) = Load(accumulators + 3 * TileDistance);
            (e0, e1) = Load(accumulators + 4 * TileDistance);
            (f0, f1) = Load(accumulators + 5 * TileDistance);
        }

        for (; x0 < end; x0 += 2, strip += Channels * 2)
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
        Store(b0, b1, accumulators + TileDistance);
        Store(c0, c1, accumulators + 2 * TileDistance);
        Store(d0, d1, accumulators + 3 * TileDistance);
        Store(e0, e1, accumulators + 4 * TileDistance);
        Store(f0, f1, accumulators + 5 * TileDistance);
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void FourRows(
        short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* accumulators, bool adds)
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
            (b0, b1) = Load(accumulators + TileDistance);
            (c0, c1) = Load(accumulators + 2 * TileDistance);
            (d0, d1) = Load(accumulators + 3 * TileDistance);
        }

        for (; x0 < end; x0 += 2, strip += Channels * 2)
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
        Store(b0, b1, accumulators + TileDistance);
        Store(c0, c1, accumulators + 2 * TileDistance);
        Store(d0, d1, accumulators + 3 * TileDistance);
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
