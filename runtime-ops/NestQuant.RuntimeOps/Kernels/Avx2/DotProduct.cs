using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>Register tiles of the integer product: 16-bit activations by 8-bit weights, summed exactly in 32 bits.</summary>
/// <remarks>
/// A vector of 16 weights holds 4 channels of one group of 4 rows of k. vpmaddwd against the row's 4 activations, repeated, gives two
/// partial sums per channel; one horizontal add at the end joins them.
/// </remarks>
internal static unsafe class DotProduct
{
    /// <summary>Rows of one <see cref="SixRows"/> call.</summary>
    public const int TileRows = 6;

    /// <summary>Channels of one <see cref="SixRows"/> call.</summary>
    public const int StripChannels = 8;

    private const int GroupStride = KernelTier.TileChannels * 4;

    /// <summary>Six rows by eight channels: twelve accumulators, two weight vectors and one activation vector fill the registers.</summary>
    /// <param name="rows">Rows of 4 * groups centered activations.</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    /// <param name="rowCount">1 to 6; the last one takes the place of those that are missing.</param>
    /// <param name="strip">The panel <c>[k/4][channel 32][4]</c>, at the first of the eight channels.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="tile">Receives the sums, rows 32 apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SixRows(byte* rows, nint rowStride, int rowCount, sbyte* strip, int groups, int* tile)
    {
        // In bounds: a group reads 4 activations of each row and 32 bytes of the strip, `groups` times; the last read of a strip
        // ends inside its group because the strip starts at most 24 channels in.
        nint last = rowCount - 1;
        short* x0 = (short*)rows;
        short* x1 = (short*)(rows + Math.Min(last, 1) * rowStride);
        short* x2 = (short*)(rows + Math.Min(last, 2) * rowStride);
        short* x3 = (short*)(rows + Math.Min(last, 3) * rowStride);
        short* x4 = (short*)(rows + Math.Min(last, 4) * rowStride);
        short* x5 = (short*)(rows + Math.Min(last, 5) * rowStride);
        Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default;
        Vector256<int> d0 = default, d1 = default, e0 = default, e1 = default, f0 = default, f1 = default;
        nint end = (nint)groups * 4;
        for (nint k = 0; k < end; k += 4, strip += GroupStride)
        {
            Vector256<short> w0 = X86Avx2.ConvertToVector256Int16(strip);
            Vector256<short> w1 = X86Avx2.ConvertToVector256Int16(strip + 16);
            Vector256<short> x = Vector256.Create(*(long*)(x0 + k)).AsInt16();
            a0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            a1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Vector256.Create(*(long*)(x1 + k)).AsInt16();
            b0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            b1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Vector256.Create(*(long*)(x2 + k)).AsInt16();
            c0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            c1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Vector256.Create(*(long*)(x3 + k)).AsInt16();
            d0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            d1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Vector256.Create(*(long*)(x4 + k)).AsInt16();
            e0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            e1 += X86Avx2.MultiplyAddAdjacent(x, w1);
            x = Vector256.Create(*(long*)(x5 + k)).AsInt16();
            f0 += X86Avx2.MultiplyAddAdjacent(x, w0);
            f1 += X86Avx2.MultiplyAddAdjacent(x, w1);
        }

        JoinPairs(a0, a1).Store(tile);
        JoinPairs(b0, b1).Store(tile + KernelTier.TileChannels);
        JoinPairs(c0, c1).Store(tile + 2 * KernelTier.TileChannels);
        JoinPairs(d0, d1).Store(tile + 3 * KernelTier.TileChannels);
        JoinPairs(e0, e1).Store(tile + 4 * KernelTier.TileChannels);
        JoinPairs(f0, f1).Store(tile + 5 * KernelTier.TileChannels);
    }

    /// <summary>One row by the panel's 32 channels, for matrix-vector products and for what six does not divide.</summary>
    /// <param name="row">4 * groups centered activations.</param>
    /// <param name="panel">The panel <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="sums">Receives 32 sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OneRow(short* row, sbyte* panel, int groups, int* sums)
    {
        // In bounds: a group reads 4 activations and its 128 weights, `groups` times.
        Vector256<int> s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default, s6 = default, s7 = default;
        for (int group = 0; group < groups; group++, row += 4, panel += GroupStride)
        {
            Vector256<short> x = Vector256.Create(*(long*)row).AsInt16();
            s0 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel));
            s1 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 16));
            s2 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 32));
            s3 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 48));
            s4 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 64));
            s5 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 80));
            s6 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 96));
            s7 += X86Avx2.MultiplyAddAdjacent(x, X86Avx2.ConvertToVector256Int16(panel + 112));
        }

        JoinPairs(s0, s1).Store(sums);
        JoinPairs(s2, s3).Store(sums + 8);
        JoinPairs(s4, s5).Store(sums + 16);
        JoinPairs(s6, s7).Store(sums + 24);
    }

    // The horizontal add works within 128-bit halves: channels come out as 0 1 4 5 | 2 3 6 7.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> JoinPairs(Vector256<int> first, Vector256<int> second) =>
        X86Avx2.Permute4x64(X86Avx2.HorizontalAdd(first, second).AsInt64(), 0b11_01_10_00).AsInt32();
}
