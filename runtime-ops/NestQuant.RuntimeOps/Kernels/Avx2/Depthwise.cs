using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.Portable;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>Depthwise sums: two taps are interleaved channel by channel, so that one vpmaddwd multiplies and joins both.</summary>
internal static unsafe class Depthwise
{
    private const int Step = 8;
    private const int PairStride = KernelTier.TileChannels * 2;

    /// <summary>See <see cref="KernelTier.DotDepthwise"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dot(byte** taps, int pairs, short* weights, int zeroPoint, int channels, int* sums)
    {
        // In bounds: a step reads 8 bytes of a tap and 8 pairs of weights and writes 8 sums, at channel + 8 <= channels <= 32.
        Vector256<short> zero = Vector256.Create((short)zeroPoint);
        int channel = 0;
        if (channels == KernelTier.TileChannels)
        {
            Vector256<int> s0 = default, s1 = default, s2 = default, s3 = default;
            short* w = weights;
            for (int pair = 0; pair < pairs; pair++, w += PairStride)
            {
                byte* first = taps[2 * pair];
                byte* second = taps[2 * pair + 1];
                s0 += X86Avx2.MultiplyAddAdjacent(Interleave(first, second, zero), Vector256.Load(w));
                s1 += X86Avx2.MultiplyAddAdjacent(Interleave(first + Step, second + Step, zero), Vector256.Load(w + 16));
                s2 += X86Avx2.MultiplyAddAdjacent(Interleave(first + 2 * Step, second + 2 * Step, zero), Vector256.Load(w + 32));
                s3 += X86Avx2.MultiplyAddAdjacent(Interleave(first + 3 * Step, second + 3 * Step, zero), Vector256.Load(w + 48));
            }

            s0.Store(sums);
            s1.Store(sums + Step);
            s2.Store(sums + 2 * Step);
            s3.Store(sums + 3 * Step);
            return;
        }

        for (; channel <= channels - Step; channel += Step)
        {
            Vector256<int> sum = default;
            short* w = weights + channel * 2;
            for (int pair = 0; pair < pairs; pair++, w += PairStride)
                sum += X86Avx2.MultiplyAddAdjacent(Interleave(taps[2 * pair] + channel, taps[2 * pair + 1] + channel, zero), Vector256.Load(w));
            sum.Store(sums + channel);
        }

        PortableTier.DotDepthwise(taps, pairs, weights, zeroPoint, channel, channels, sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Interleave(byte* first, byte* second, Vector256<short> zero)
    {
        Vector128<byte> a = Vector128.CreateScalarUnsafe(*(long*)first).AsByte();
        Vector128<byte> b = Vector128.CreateScalarUnsafe(*(long*)second).AsByte();
        return X86Avx2.ConvertToVector256Int16(Sse2.UnpackLow(a, b)) - zero;
    }
}
