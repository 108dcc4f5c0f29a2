using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.Tiers.Portable;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>Depthwise products: two taps are interleaved channel by channel, so that one vpmaddwd multiplies both and adds the
/// products.</summary>
internal static unsafe class Depthwise
{
    private const int Step = 8;
    private const int PairStride = KernelTier.TileChannels * 2;

    /// <summary>See <see cref="KernelTier.DotDepthwise"/>.</summary>
    public static void Dot(byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* accumulators)
    {
        if (channels == KernelTier.TileChannels)
        {
            int column = 0;
            for (; column <= columns - 2; column += 2)
                TwoColumns(taps, column * step, step, pairs, weights, accumulators + column * KernelTier.TileChannels);
            if (column < columns)
                OneColumn(taps, column * step, pairs, weights, channels, accumulators + column * KernelTier.TileChannels);
            return;
        }

        int whole = channels / Step * Step;
        for (int column = 0; column < columns; column++)
            OneColumn(taps, column * step, pairs, weights, whole, accumulators + column * KernelTier.TileChannels);
        PortableTier.DotDepthwise(taps, step, columns, pairs, weights, whole, channels, accumulators);
    }

    /// <summary>Two neighbouring outputs, all 32 channels: eight accumulators share the weights.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void TwoColumns(byte** taps, nint offset, nint step, int pairs, short* weights, int* accumulators)
    {
        // In bounds: 32 bytes of every tap at both outputs, 32 pairs of weights per pair of taps, two rows of accumulators.
        Vector256<int> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        for (int pair = 0; pair < pairs; pair++, weights += PairStride, taps += 2)
        {
            byte* first = taps[0] + offset;
            byte* second = taps[1] + offset;
            Vector256<short> w0 = Vector256.Load(weights);
            Vector256<short> w1 = Vector256.Load(weights + 2 * Step);
            Vector256<short> w2 = Vector256.Load(weights + 4 * Step);
            Vector256<short> w3 = Vector256.Load(weights + 6 * Step);
            Vector128<byte> x = Vector128.Load(first);
            Vector128<byte> y = Vector128.Load(second);
            a0 += X86Avx2.MultiplyAddAdjacent(Low(x, y), w0);
            a1 += X86Avx2.MultiplyAddAdjacent(High(x, y), w1);
            x = Vector128.Load(first + 2 * Step);
            y = Vector128.Load(second + 2 * Step);
            a2 += X86Avx2.MultiplyAddAdjacent(Low(x, y), w2);
            a3 += X86Avx2.MultiplyAddAdjacent(High(x, y), w3);
            x = Vector128.Load(first + step);
            y = Vector128.Load(second + step);
            b0 += X86Avx2.MultiplyAddAdjacent(Low(x, y), w0);
            b1 += X86Avx2.MultiplyAddAdjacent(High(x, y), w1);
            x = Vector128.Load(first + step + 2 * Step);
            y = Vector128.Load(second + step + 2 * Step);
            b2 += X86Avx2.MultiplyAddAdjacent(Low(x, y), w2);
            b3 += X86Avx2.MultiplyAddAdjacent(High(x, y), w3);
        }

        a0.Store(accumulators);
        a1.Store(accumulators + Step);
        a2.Store(accumulators + 2 * Step);
        a3.Store(accumulators + 3 * Step);
        b0.Store(accumulators + KernelTier.TileChannels);
        b1.Store(accumulators + KernelTier.TileChannels + Step);
        b2.Store(accumulators + KernelTier.TileChannels + 2 * Step);
        b3.Store(accumulators + KernelTier.TileChannels + 3 * Step);
    }

    /// <summary>The first eight channels of two taps, side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Low(Vector128<byte> x, Vector128<byte> y) => X86Avx2.ConvertToVector256Int16(Sse2.UnpackLow(x, y));

    /// <summary>The last eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> High(Vector128<byte> x, Vector128<byte> y) => X86Avx2.ConvertToVector256Int16(Sse2.UnpackHigh(x, y));

    /// <summary>One output, a multiple of 8 channels.</summary>
    [MethodImpl(MethodCompilation.Loops)]
    private static void OneColumn(byte** taps, nint offset, int pairs, short* weights, int channels, int* accumulators)
    {
        // In bounds: a step reads 8 bytes of a tap and 8 pairs of weights and writes 8 accumulators, at channel + 8 <= channels.
        for (int channel = 0; channel < channels; channel += Step)
        {
            Vector256<int> sum = default;
            short* w = weights + channel * 2;
            for (int pair = 0; pair < pairs; pair++, w += PairStride)
            {
                Vector256<short> x = Interleave(taps[2 * pair] + offset + channel, taps[2 * pair + 1] + offset + channel);
                sum += X86Avx2.MultiplyAddAdjacent(x, Vector256.Load(w));
            }

            sum.Store(accumulators + channel);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Interleave(byte* first, byte* second)
    {
        Vector128<byte> a = Sse2.LoadScalarVector128((long*)first).AsByte();
        Vector128<byte> b = Sse2.LoadScalarVector128((long*)second).AsByte();
        return X86Avx2.ConvertToVector256Int16(Sse2.UnpackLow(a, b));
    }
}
