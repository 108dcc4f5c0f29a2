using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers.Portable;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>Depthwise products, 16 channels of three neighbouring outputs at a time.</summary>
/// <typeparam name="TNeon">The instructions of every arm64 processor.</typeparam>
internal static unsafe class Depthwise<TNeon>
    where TNeon : struct, INeon
{
    private const int Columns = 3;
    private const int StripChannels = 16;
    private const int PairStride = KernelTier.TileChannels * 2;

    /// <summary>See <see cref="KernelTier.DotDepthwise"/>.</summary>
    public static void Dot(byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* accumulators)
    {
        int whole = channels / StripChannels * StripChannels;
        for (int column = 0; column < columns; column += Columns)
        {
            int last = Math.Min(Columns, columns - column) - 1;
            for (int channel = 0; channel < whole; channel += StripChannels)
                ThreeColumns(
                    taps,
                    column * step + channel,
                    step,
                    last,
                    pairs,
                    weights + channel * 2,
                    accumulators + column * KernelTier.TileChannels + channel);
        }

        PortableTier.DotDepthwise(taps, step, columns, pairs, weights, whole, channels, accumulators);
    }

    /// <summary>Three neighbouring outputs share the weights of sixteen channels.</summary>
    /// <param name="taps">2 * pairs pointers.</param>
    /// <param name="offset">Offset to the first output and channel.</param>
    /// <param name="step">Bytes from an output's taps to those of the next.</param>
    /// <param name="last">Index of the last output, 0 to 2; missing outputs repeat it.</param>
    /// <param name="pairs">Pairs of taps.</param>
    /// <param name="weights"><c>[pair][channel 32][2]</c>, at the first channel.</param>
    /// <param name="accumulators">Receives the accumulators, outputs 32 apart.</param>
    [MethodImpl(MethodCompilation.Loops)]
    private static void ThreeColumns(byte** taps, nint offset, nint step, int last, int pairs, short* weights, int* accumulators)
    {
        // In bounds: 16 bytes of every tap at outputs up to the last one, 16 pairs of weights per pair of taps, a row of accumulators per
        // output.
        nint secondOffset = offset + Math.Min(last, 1) * step;
        nint thirdOffset = offset + last * step;
        Vector128<int> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector128<int> b0 = default, b1 = default, b2 = default, b3 = default;
        Vector128<int> c0 = default, c1 = default, c2 = default, c3 = default;
        for (int pair = 0; pair < pairs; pair++, weights += PairStride, taps += 2)
        {
            Vector128<int> w0 = Vector128.Load(weights).AsInt32(), w1 = Vector128.Load(weights + 8).AsInt32();
            Vector128<int> w2 = Vector128.Load(weights + 16).AsInt32(), w3 = Vector128.Load(weights + 24).AsInt32();

            // The weights of the pair's first tap are the low halves.
            Vector128<short> low = Vector128.Narrow(w0, w1), high = Vector128.Narrow(w2, w3);
            byte* tap = taps[0];
            Add(tap + offset, low, high, ref a0, ref a1, ref a2, ref a3);
            Add(tap + secondOffset, low, high, ref b0, ref b1, ref b2, ref b3);
            Add(tap + thirdOffset, low, high, ref c0, ref c1, ref c2, ref c3);
            low = Vector128.Narrow(w0 >> 16, w1 >> 16);
            high = Vector128.Narrow(w2 >> 16, w3 >> 16);
            tap = taps[1];
            Add(tap + offset, low, high, ref a0, ref a1, ref a2, ref a3);
            Add(tap + secondOffset, low, high, ref b0, ref b1, ref b2, ref b3);
            Add(tap + thirdOffset, low, high, ref c0, ref c1, ref c2, ref c3);
        }

        Store(a0, a1, a2, a3, accumulators);
        if (last >= 1)
            Store(b0, b1, b2, b3, accumulators + KernelTier.TileChannels);
        if (last >= 2)
            Store(c0, c1, c2, c3, accumulators + 2 * KernelTier.TileChannels);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(
        byte* x,
        Vector128<short> low,
        Vector128<short> high,
        ref Vector128<int> s0,
        ref Vector128<int> s1,
        ref Vector128<int> s2,
        ref Vector128<int> s3)
    {
        Vector128<byte> bytes = Vector128.Load(x);
        Vector128<short> first = Vector128.WidenLower(bytes).AsInt16();
        Vector128<short> second = Vector128.WidenUpper(bytes).AsInt16();
        s1 = TNeon.AddProductsUpper(s1, first, low);
        s0 = TNeon.AddProductsLower(s0, first, low);
        s3 = TNeon.AddProductsUpper(s3, second, high);
        s2 = TNeon.AddProductsLower(s2, second, high);
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
