using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>Register tiles of the integer product of unsigned by signed bytes, computed with products of signed bytes.</summary>
/// <typeparam name="TDot">Multiplies and adds.</typeparam>
/// <remarks>
/// A vector of 16 weights holds 4 channels of one group of 4 rows of k, a vector of activations those of 4 groups of one row.
/// </remarks>
internal static unsafe class SignedDotProduct<TDot>
    where TDot : struct, ISignedDot
{
    /// <summary>Rows of one <see cref="SixRows"/> call.</summary>
    public const int TileRows = 6;

    /// <summary>Channels of one <see cref="SixRows"/> call.</summary>
    public const int StripChannels = 16;

    private const int GroupStride = KernelTier.TileChannels * 4;
    private const int Vector = 16;

    /// <summary>
    /// Six rows by sixteen channels: twenty-four accumulators, a vector of activations per row and one of weights fill the registers.
    /// </summary>
    /// <param name="rows">Rows of 4 * groups activations.</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    /// <param name="rowCount">1 to 6; missing rows repeat the last one.</param>
    /// <param name="strip">The panel <c>[k/4][channel 32][4]</c>, at the first of the sixteen channels.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="starts">Initial values of the sixteen channels' accumulators.</param>
    /// <param name="tile">Receives the accumulators modulo 2^32, rows 32 apart.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void SixRows(byte* rows, nint rowStride, int rowCount, sbyte* strip, int groups, int* starts, int* tile)
    {
        // In bounds: four groups read 16 activations of each row, the remaining groups 4 each; a group reads 64 bytes of the strip,
        // which end inside it because the strip starts at most 16 channels in.
        nint last = rowCount - 1;
        byte* r0 = rows;
        byte* r1 = rows + Math.Min(last, 1) * rowStride;
        byte* r2 = rows + Math.Min(last, 2) * rowStride;
        byte* r3 = rows + Math.Min(last, 3) * rowStride;
        byte* r4 = rows + Math.Min(last, 4) * rowStride;
        byte* r5 = rows + Math.Min(last, 5) * rowStride;
        Vector128<int> a0 = Vector128.Load(starts), b0 = a0, c0 = a0, d0 = a0, e0 = a0, f0 = a0;
        Vector128<int> a1 = Vector128.Load(starts + 4), b1 = a1, c1 = a1, d1 = a1, e1 = a1, f1 = a1;
        Vector128<int> a2 = Vector128.Load(starts + 8), b2 = a2, c2 = a2, d2 = a2, e2 = a2, f2 = a2;
        Vector128<int> a3 = Vector128.Load(starts + 12), b3 = a3, c3 = a3, d3 = a3, e3 = a3, f3 = a3;
        sbyte* w = strip;
        nint k = 0;
        Vector128<sbyte> x0, x1, x2, x3, x4, x5;
        for (nint end = (nint)(groups / 4) * Vector; k < end; k += Vector, w += 4 * GroupStride)
        {
            x0 = SignedActivations.Sixteen(r0 + k);
            x1 = SignedActivations.Sixteen(r1 + k);
            x2 = SignedActivations.Sixteen(r2 + k);
            x3 = SignedActivations.Sixteen(r3 + k);
            x4 = SignedActivations.Sixteen(r4 + k);
            x5 = SignedActivations.Sixteen(r5 + k);
            Add(w, x0, x1, x2, x3, x4, x5, 0, ref a0, ref b0, ref c0, ref d0, ref e0, ref f0);
            Add(w + Vector, x0, x1, x2, x3, x4, x5, 0, ref a1, ref b1, ref c1, ref d1, ref e1, ref f1);
            Add(w + 2 * Vector, x0, x1, x2, x3, x4, x5, 0, ref a2, ref b2, ref c2, ref d2, ref e2, ref f2);
            Add(w + 3 * Vector, x0, x1, x2, x3, x4, x5, 0, ref a3, ref b3, ref c3, ref d3, ref e3, ref f3);
            Add(w + GroupStride, x0, x1, x2, x3, x4, x5, 1, ref a0, ref b0, ref c0, ref d0, ref e0, ref f0);
            Add(w + GroupStride + Vector, x0, x1, x2, x3, x4, x5, 1, ref a1, ref b1, ref c1, ref d1, ref e1, ref f1);
            Add(w + GroupStride + 2 * Vector, x0, x1, x2, x3, x4, x5, 1, ref a2, ref b2, ref c2, ref d2, ref e2, ref f2);
            Add(w + GroupStride + 3 * Vector, x0, x1, x2, x3, x4, x5, 1, ref a3, ref b3, ref c3, ref d3, ref e3, ref f3);
            Add(w + 2 * GroupStride, x0, x1, x2, x3, x4, x5, 2, ref a0, ref b0, ref c0, ref d0, ref e0, ref f0);
            Add(w + 2 * GroupStride + Vector, x0, x1, x2, x3, x4, x5, 2, ref a1, ref b1, ref c1, ref d1, ref e1, ref f1);
            Add(w + 2 * GroupStride + 2 * Vector, x0, x1, x2, x3, x4, x5, 2, ref a2, ref b2, ref c2, ref d2, ref e2, ref f2);
            Add(w + 2 * GroupStride + 3 * Vector, x0, x1, x2, x3, x4, x5, 2, ref a3, ref b3, ref c3, ref d3, ref e3, ref f3);
            Add(w + 3 * GroupStride, x0, x1, x2, x3, x4, x5, 3, ref a0, ref b0, ref c0, ref d0, ref e0, ref f0);
            Add(w + 3 * GroupStride + Vector, x0, x1, x2, x3, x4, x5, 3, ref a1, ref b1, ref c1, ref d1, ref e1, ref f1);
            Add(w + 3 * GroupStride + 2 * Vector, x0, x1, x2, x3, x4, x5, 3, ref a2, ref b2, ref c2, ref d2, ref e2, ref f2);
            Add(w + 3 * GroupStride + 3 * Vector, x0, x1, x2, x3, x4, x5, 3, ref a3, ref b3, ref c3, ref d3, ref e3, ref f3);
        }

        for (nint end = (nint)groups * 4; k < end; k += 4, w += GroupStride)
        {
            x0 = SignedActivations.Four(r0 + k);
            x1 = SignedActivations.Four(r1 + k);
            x2 = SignedActivations.Four(r2 + k);
            x3 = SignedActivations.Four(r3 + k);
            x4 = SignedActivations.Four(r4 + k);
            x5 = SignedActivations.Four(r5 + k);
            Add(w, x0, x1, x2, x3, x4, x5, 0, ref a0, ref b0, ref c0, ref d0, ref e0, ref f0);
            Add(w + Vector, x0, x1, x2, x3, x4, x5, 0, ref a1, ref b1, ref c1, ref d1, ref e1, ref f1);
            Add(w + 2 * Vector, x0, x1, x2, x3, x4, x5, 0, ref a2, ref b2, ref c2, ref d2, ref e2, ref f2);
            Add(w + 3 * Vector, x0, x1, x2, x3, x4, x5, 0, ref a3, ref b3, ref c3, ref d3, ref e3, ref f3);
        }

        Store(a0, a1, a2, a3, tile);
        Store(b0, b1, b2, b3, tile + KernelTier.TileChannels);
        Store(c0, c1, c2, c3, tile + 2 * KernelTier.TileChannels);
        Store(d0, d1, d2, d3, tile + 3 * KernelTier.TileChannels);
        Store(e0, e1, e2, e3, tile + 4 * KernelTier.TileChannels);
        Store(f0, f1, f2, f3, tile + 5 * KernelTier.TileChannels);
    }

    /// <summary>One row by the panel's 32 channels, for matrix-vector products and for the rows that remain after tiles of six.</summary>
    /// <param name="row">4 * groups activations.</param>
    /// <param name="panel">The panel <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="starts">Initial values of the 32 accumulators.</param>
    /// <param name="accumulators">Receives 32 accumulators modulo 2^32.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void OneRow(byte* row, sbyte* panel, int groups, int* starts, int* accumulators)
    {
        // In bounds: four groups read 16 activations, the remaining groups 4 each; a group reads its 128 weights.
        Vector128<int> s0 = Vector128.Load(starts),
            s1 = Vector128.Load(starts + 4),
            s2 = Vector128.Load(starts + 8),
            s3 = Vector128.Load(starts + 12);
        Vector128<int> s4 = Vector128.Load(starts + 16),
            s5 = Vector128.Load(starts + 20),
            s6 = Vector128.Load(starts + 24),
            s7 = Vector128.Load(starts + 28);
        int group = 0;
        Vector128<sbyte> x;
        for (; group <= groups - 4; group += 4, row += Vector, panel += 4 * GroupStride)
        {
            x = SignedActivations.Sixteen(row);
            Add(panel, x, 0, ref s0, ref s1, ref s2, ref s3);
            Add(panel + 4 * Vector, x, 0, ref s4, ref s5, ref s6, ref s7);
            Add(panel + GroupStride, x, 1, ref s0, ref s1, ref s2, ref s3);
            Add(panel + GroupStride + 4 * Vector, x, 1, ref s4, ref s5, ref s6, ref s7);
            Add(panel + 2 * GroupStride, x, 2, ref s0, ref s1, ref s2, ref s3);
            Add(panel + 2 * GroupStride + 4 * Vector, x, 2, ref s4, ref s5, ref s6, ref s7);
            Add(panel + 3 * GroupStride, x, 3, ref s0, ref s1, ref s2, ref s3);
            Add(panel + 3 * GroupStride + 4 * Vector, x, 3, ref s4, ref s5, ref s6, ref s7);
        }

        for (; group < groups; group++, row += 4, panel += GroupStride)
        {
            x = SignedActivations.Four(row);
            Add(panel, x, 0, ref s0, ref s1, ref s2, ref s3);
            Add(panel + 4 * Vector, x, 0, ref s4, ref s5, ref s6, ref s7);
        }

        Store(s0, s1, s2, s3, accumulators);
        Store(s4, s5, s6, s7, accumulators + StripChannels);
    }

    /// <summary>Four channels of one group by six rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(
        sbyte* weights,
        Vector128<sbyte> x0,
        Vector128<sbyte> x1,
        Vector128<sbyte> x2,
        Vector128<sbyte> x3,
        Vector128<sbyte> x4,
        Vector128<sbyte> x5,
        [ConstantExpected(Max = (byte)3)] byte four,
        ref Vector128<int> a,
        ref Vector128<int> b,
        ref Vector128<int> c,
        ref Vector128<int> d,
        ref Vector128<int> e,
        ref Vector128<int> f)
    {
        Vector128<sbyte> w = Vector128.Load(weights);
        a = TDot.Add(a, w, x0, four);
        b = TDot.Add(b, w, x1, four);
        c = TDot.Add(c, w, x2, four);
        d = TDot.Add(d, w, x3, four);
        e = TDot.Add(e, w, x4, four);
        f = TDot.Add(f, w, x5, four);
    }

    /// <summary>Sixteen channels of one group by one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(
        sbyte* weights,
        Vector128<sbyte> x,
        [ConstantExpected(Max = (byte)3)] byte four,
        ref Vector128<int> s0,
        ref Vector128<int> s1,
        ref Vector128<int> s2,
        ref Vector128<int> s3)
    {
        s0 = TDot.Add(s0, Vector128.Load(weights), x, four);
        s1 = TDot.Add(s1, Vector128.Load(weights + Vector), x, four);
        s2 = TDot.Add(s2, Vector128.Load(weights + 2 * Vector), x, four);
        s3 = TDot.Add(s3, Vector128.Load(weights + 3 * Vector), x, four);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<int> s0, Vector128<int> s1, Vector128<int> s2, Vector128<int> s3, int* accumulators)
    {
        s0.Store(accumulators);
        s1.Store(accumulators + 4);
        s2.Store(accumulators + 8);
        s3.Store(accumulators + 12);
    }
}
