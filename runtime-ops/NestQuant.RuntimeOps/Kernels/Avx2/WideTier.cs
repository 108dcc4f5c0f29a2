using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>The part of the AVX2 tier for weights of 7 and 8 bits: products of 16-bit numbers, exact whatever the weights are.</summary>
/// <remarks>
/// A prepared panel is <c>[strip 2][k/2][channel 16][2]</c> in 16 bits: what the inner loop reads lies together. vpmaddwd multiplies a pair of a row's activations, repeated, with the pairs of eight
/// channels, and adds the two products in 32 bits.
/// </remarks>
internal sealed unsafe class WideTier : X64Tier
{
    private const int StripChannels = 16;

    // Values of a strip in a group of 4 rows of k.
    private const int StripGroup = StripChannels * 4;

    /// <inheritdoc/>
    public override string Name => TierNames.Avx2;

    /// <inheritdoc/>
    public override RowFormat Rows { get; } = new WideRows();

    /// <inheritdoc/>
    public override int TileRows => 6;

    /// <inheritdoc/>
    public override int PreparedBytes(int groups) => groups * 2 * StripGroup * sizeof(short);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Prepare(sbyte* panel, int groups)
    {
        // In bounds: a group is 128 bytes of the panel. Its first strip takes their place, after they have been loaded, and its second strip lies
        // as far behind the decoded panel. The low byte of each 16 is the weight's after an arithmetic shift.
        Vector256<byte> firstPair = Vector256.Create(-1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13).AsByte();
        Vector256<byte> secondPair = Vector256.Create(-1, 2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15, -1, 2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15).AsByte();
        short* first = (short*)panel;
        short* second = first + (long)groups * StripGroup;
        for (int group = 0; group < groups; group++, first += StripGroup, second += StripGroup)
        {
            byte* source = (byte*)first;
            Vector256<byte> w0 = Vector256.Load(source), w1 = Vector256.Load(source + 32), w2 = Vector256.Load(source + 64), w3 = Vector256.Load(source + 96);
            Widen(w0, firstPair).Store(first);
            Widen(w1, firstPair).Store(first + 16);
            Widen(w0, secondPair).Store(first + 32);
            Widen(w1, secondPair).Store(first + 48);
            Widen(w2, firstPair).Store(second);
            Widen(w3, firstPair).Store(second + 16);
            Widen(w2, secondPair).Store(second + 32);
            Widen(w3, secondPair).Store(second + 48);
        }
    }

    /// <inheritdoc/>
    public override void Dot(byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        for (int strip = firstChannel / StripChannels; strip * StripChannels < endChannel; strip++)
            SixRows((short*)rows, rowStride / sizeof(short), rowCount, (short*)panel + (long)strip * groups * StripGroup, groups, tile + strip * StripChannels);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Widen(Vector256<byte> weights, Vector256<byte> pair) => X86Avx2.Shuffle(weights, pair).AsInt16() >> 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SixRows(short* rows, nint rowStride, int rowCount, short* strip, int groups, int* tile)
    {
        // In bounds: a step reads 2 activations of each row and 32 weights of the strip, 2 * groups times. The last row takes the place of
        // those that are missing; the tile has room for them.
        nint last = rowCount - 1;
        short* x0 = rows;
        short* end = x0 + (nint)groups * 4;
        nint r1 = Math.Min(last, 1) * rowStride;
        nint r2 = Math.Min(last, 2) * rowStride;
        nint r3 = Math.Min(last, 3) * rowStride;
        nint r4 = Math.Min(last, 4) * rowStride;
        nint r5 = Math.Min(last, 5) * rowStride;
        Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default;
        Vector256<int> d0 = default, d1 = default, e0 = default, e1 = default, f0 = default, f1 = default;
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

        StoreRow(a0, a1, tile);
        StoreRow(b0, b1, tile + KernelTier.TileChannels);
        StoreRow(c0, c1, tile + 2 * KernelTier.TileChannels);
        StoreRow(d0, d1, tile + 3 * KernelTier.TileChannels);
        StoreRow(e0, e1, tile + 4 * KernelTier.TileChannels);
        StoreRow(f0, f1, tile + 5 * KernelTier.TileChannels);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Broadcast(short* two) => X86Avx2.BroadcastScalarToVector256((int*)two).AsInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow(Vector256<int> first, Vector256<int> second, int* sums)
    {
        first.Store(sums);
        second.Store(sums + 8);
    }

    private sealed class WideRows : CenteredRows
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public override void Copy(byte* x, int count, int zeroPoint, byte* row)
        {
            // In bounds: the last vector ends at count, where it may write again what the one before it wrote.
            short* centered = (short*)row;
            Vector256<short> zero = Vector256.Create((short)zeroPoint);
            if (count < Vector256<short>.Count)
            {
                base.Copy(x, count, zeroPoint, row);
                return;
            }

            int last = count - Vector256<short>.Count;
            for (int i = 0; i < last; i += Vector256<short>.Count)
                (X86Avx2.ConvertToVector256Int16(x + i) - zero).Store(centered + i);
            (X86Avx2.ConvertToVector256Int16(x + last) - zero).Store(centered + last);
        }
    }
}
