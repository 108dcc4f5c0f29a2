using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;

/// <summary>Register tiles of the integer product: unsigned bytes by signed bytes, accumulated exactly in 32 bits.</summary>
/// <typeparam name="TDot">Multiplies and adds.</typeparam>
/// <remarks>A vector of 32 weights holds 8 channels of one group of 4 rows of k; the row's 4 activations are repeated against it.</remarks>
internal static unsafe class ByteDotProduct<TDot>
    where TDot : struct, IByteDot
{
    /// <summary>Rows of one <see cref="SixRows"/> call.</summary>
    public const int TileRows = 6;

    /// <summary>Channels of one <see cref="SixRows"/> call.</summary>
    public const int StripChannels = 16;

    private const int GroupStride = KernelTier.TileChannels * 4;
    private const int Vector = 32;

    /// <summary>Six rows by sixteen channels: twelve accumulators, two weight vectors and one activation vector fill the
    /// registers.</summary>
    /// <param name="rows">Rows of 4 * groups activations.</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    /// <param name="rowCount">1 to 6; missing rows repeat the last one.</param>
    /// <param name="strip">The panel <c>[k/4][channel 32][4]</c>, at the first of the sixteen channels.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="tile">Receives the accumulators modulo 2^32, rows 32 apart.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void SixRows(byte* rows, nint rowStride, int rowCount, sbyte* strip, int groups, int* tile)
    {
        // In bounds: a group reads 4 activations of each row and 64 bytes of the strip, `groups` times; the last read of a strip
        // ends inside its group because the strip starts at most 16 channels in.
        nint last = rowCount - 1;
        byte* x0 = rows;
        byte* x1 = rows + Math.Min(last, 1) * rowStride;
        byte* x2 = rows + Math.Min(last, 2) * rowStride;
        byte* x3 = rows + Math.Min(last, 3) * rowStride;
        byte* x4 = rows + Math.Min(last, 4) * rowStride;
        byte* x5 = rows + Math.Min(last, 5) * rowStride;
        Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default;
        Vector256<int> d0 = default, d1 = default, e0 = default, e1 = default, f0 = default, f1 = default;
        nint end = (nint)groups * 4;
        for (nint k = 0; k < end; k += 4, strip += GroupStride)
        {
            Vector256<sbyte> w0 = Vector256.Load(strip);
            Vector256<sbyte> w1 = Vector256.Load(strip + Vector);
            Vector256<byte> x = Vector256.Create(*(int*)(x0 + k)).AsByte();
            a0 = TDot.Add(a0, x, w0);
            a1 = TDot.Add(a1, x, w1);
            x = Vector256.Create(*(int*)(x1 + k)).AsByte();
            b0 = TDot.Add(b0, x, w0);
            b1 = TDot.Add(b1, x, w1);
            x = Vector256.Create(*(int*)(x2 + k)).AsByte();
            c0 = TDot.Add(c0, x, w0);
            c1 = TDot.Add(c1, x, w1);
            x = Vector256.Create(*(int*)(x3 + k)).AsByte();
            d0 = TDot.Add(d0, x, w0);
            d1 = TDot.Add(d1, x, w1);
            x = Vector256.Create(*(int*)(x4 + k)).AsByte();
            e0 = TDot.Add(e0, x, w0);
            e1 = TDot.Add(e1, x, w1);
            x = Vector256.Create(*(int*)(x5 + k)).AsByte();
            f0 = TDot.Add(f0, x, w0);
            f1 = TDot.Add(f1, x, w1);
        }

        Store(a0, a1, tile);
        Store(b0, b1, tile + KernelTier.TileChannels);
        Store(c0, c1, tile + 2 * KernelTier.TileChannels);
        Store(d0, d1, tile + 3 * KernelTier.TileChannels);
        Store(e0, e1, tile + 4 * KernelTier.TileChannels);
        Store(f0, f1, tile + 5 * KernelTier.TileChannels);
    }

    /// <summary>One row by the panel's 32 channels, for matrix-vector products and for the rows that remain after tiles of six.</summary>
    /// <param name="row">4 * groups activations.</param>
    /// <param name="panel">The panel <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="accumulators">Receives 32 accumulators modulo 2^32.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void OneRow(byte* row, sbyte* panel, int groups, int* accumulators)
    {
        // In bounds: a group reads 4 activations and its 128 weights, `groups` times. Even and odd groups have separate accumulators, so
        // that eight products are in flight instead of four.
        Vector256<int> s0 = default, s1 = default, s2 = default, s3 = default, t0 = default, t1 = default, t2 = default, t3 = default;
        int group = 0;
        Vector256<byte> x;
        for (; group <= groups - 2; group += 2, row += 8, panel += 2 * GroupStride)
        {
            x = Vector256.Create(*(int*)row).AsByte();
            s0 = TDot.Add(s0, x, Vector256.Load(panel));
            s1 = TDot.Add(s1, x, Vector256.Load(panel + Vector));
            s2 = TDot.Add(s2, x, Vector256.Load(panel + 2 * Vector));
            s3 = TDot.Add(s3, x, Vector256.Load(panel + 3 * Vector));
            x = Vector256.Create(*(int*)(row + 4)).AsByte();
            t0 = TDot.Add(t0, x, Vector256.Load(panel + GroupStride));
            t1 = TDot.Add(t1, x, Vector256.Load(panel + GroupStride + Vector));
            t2 = TDot.Add(t2, x, Vector256.Load(panel + GroupStride + 2 * Vector));
            t3 = TDot.Add(t3, x, Vector256.Load(panel + GroupStride + 3 * Vector));
        }

        if (group < groups)
        {
            x = Vector256.Create(*(int*)row).AsByte();
            s0 = TDot.Add(s0, x, Vector256.Load(panel));
            s1 = TDot.Add(s1, x, Vector256.Load(panel + Vector));
            s2 = TDot.Add(s2, x, Vector256.Load(panel + 2 * Vector));
            s3 = TDot.Add(s3, x, Vector256.Load(panel + 3 * Vector));
        }

        Store(s0 + t0, s1 + t1, accumulators);
        Store(s2 + t2, s3 + t3, accumulators + StripChannels);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<int> first, Vector256<int> second, int* accumulators)
    {
        first.Store(accumulators);
        second.Store(accumulators + Vector256<int>.Count);
    }
}
