using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Winograd;

/// <summary>The transform of 36 accumulators to the 4x4 outputs of a tile, (A^T m A) / 900 (see <see
/// cref="WinogradConvolution"/>).</summary>
internal static unsafe class OutputTransform
{
    /// <summary>The inverse of 225 modulo 2^32; 900 is four times as much.</summary>
    private const uint InverseOf225 = 2271560481;

    /// <summary>Transforms a strip of channels.</summary>
    /// <param name="accumulators">The accumulators modulo 2^32, <c>[position 36][channel of the strip]</c>.</param>
    /// <param name="channels">Channels of the strip.</param>
    /// <param name="outputs">Receives the exact sums of the outputs, <c>[position 16][channel 32]</c>.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodCompilation.Loops)]
    public static void Run(int* accumulators, int channels, int* outputs)
    {
        // In bounds: all vectors of a strip are read at 36 positions and written at 16.
        const int stride = KernelTier.TileChannels;
        Vector256<int>* columns = stackalloc Vector256<int>[24];
        Vector256<int> inverse = Vector256.Create(unchecked((int)InverseOf225));
        for (int c = 0; c < channels; c += Vector256<int>.Count)
        {
            int* source = accumulators + c;
            nint line = 6 * channels;
            Vector256<int>* column = columns;
            for (int x = 0; x < 6; x++, source += channels, column++)
            {
                (column[0], column[6], column[12], column[18]) = Combine(
                    Vector256.Load(source),
                    Vector256.Load(source + line),
                    Vector256.Load(source + 2 * line),
                    Vector256.Load(source + 3 * line),
                    Vector256.Load(source + 4 * line),
                    Vector256.Load(source + 5 * line));
            }

            int* target = outputs + c;
            Vector256<int>* row = columns;
            for (int y = 0; y < 4; y++, row += 6, target += 4 * stride)
            {
                (
                    Vector256<int> y0,
                    Vector256<int> y1,
                    Vector256<int> y2,
                    Vector256<int> y3) = Combine(row[0], row[1], row[2], row[3], row[4], row[5]);
                ((y0 * inverse) >> 2).Store(target);
                ((y1 * inverse) >> 2).Store(target + stride);
                ((y2 * inverse) >> 2).Store(target + 2 * stride);
                ((y3 * inverse) >> 2).Store(target + 3 * stride);
            }
        }
    }

    /// <summary>A^T times a vector of six.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> Y0, Vector256<int> Y1, Vector256<int> Y2, Vector256<int> Y3) Combine(
        Vector256<int> m0, Vector256<int> m1, Vector256<int> m2, Vector256<int> m3, Vector256<int> m4, Vector256<int> m5)
    {
        Vector256<int> p = m1 + m2, q = m1 - m2, twice3 = m3 + m3;
        Vector256<int> a = m3 - (m4 + m4), b = twice3 + m4;
        return (m0 + p + m3 + (m4 << 3), q + (a + a), p + (b + b), q + (m3 << 3) - m4 + m5);
    }
}
