using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Winograd;

/// <summary>The transform of 6x6 activations, B^T d B (see <see cref="WinogradConvolution"/>), of 16 channels at a time.</summary>
internal static unsafe class InputTransform
{
    /// <summary>Channels of a vector: the channels of an image must be a multiple.</summary>
    public const int VectorChannels = 16;

    // B^T of a constant vector is 0 except for its second element, which is -6 times the constant.
    private const int SumOfSecondRow = -6;

    /// <summary>Transforms one tile; results are at most 98 * 255 and fit in 16 bits.</summary>
    /// <param name="x">The tile's first position, 6x6 positions of neighbouring channels.</param>
    /// <param name="lineStride">Bytes from one line of the tile to the next.</param>
    /// <param name="positionStride">Bytes from one position to the next.</param>
    /// <param name="channels">Channels, a multiple of <see cref="VectorChannels"/>.</param>
    /// <param name="zeroPoint">The activations' zero point, which is subtracted.</param>
    /// <param name="transformed">Receives the channels of 36 transformed positions.</param>
    /// <param name="stride">Values from one transformed position to the next.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodCompilation.Loops)]
    public static void Run(byte* x, nint lineStride, nint positionStride, int channels, int zeroPoint, short* transformed, nint stride)
    {
        // In bounds: each vector of channels is read at the 36 positions and written to as many.
        Vector256<short>* columns = stackalloc Vector256<short>[36];
        Vector256<short> offset = Vector256.Create((short)(SumOfSecondRow * SumOfSecondRow * zeroPoint));
        for (int c = 0; c < channels; c += VectorChannels, x += VectorChannels, transformed += VectorChannels)
        {
            byte* source = x;
            for (int column = 0; column < 6; column++, source += positionStride)
            {
                Combine(
                    X86Avx2.ConvertToVector256Int16(source),
                    X86Avx2.ConvertToVector256Int16(source + lineStride),
                    X86Avx2.ConvertToVector256Int16(source + 2 * lineStride),
                    X86Avx2.ConvertToVector256Int16(source + 3 * lineStride),
                    X86Avx2.ConvertToVector256Int16(source + 4 * lineStride),
                    X86Avx2.ConvertToVector256Int16(source + 5 * lineStride),
                    (short*)(columns + column),
                    6 * Vector256<short>.Count);
            }

            short* target = transformed;
            Vector256<short>* line = columns;
            for (int row = 0; row < 6; row++, line += 6, target += 6 * stride)
                Combine(line[0], line[1], line[2], line[3], line[4], line[5], target, stride);

            short* second = transformed + 7 * stride;
            (Vector256.Load(second) - offset).Store(second);
        }
    }

    /// <summary>B^T times a vector of six.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Combine(
        Vector256<short> d0,
        Vector256<short> d1,
        Vector256<short> d2,
        Vector256<short> d3,
        Vector256<short> d4,
        Vector256<short> d5,
        short* target,
        nint stride)
    {
        Vector256<short> u = d4 - d2, v = d3 - d1, twiceU = u + u, twiceV = v + v;
        Vector256<short> sum = d1 + d2, difference = d3 - d2;
        Vector256<short> t0 = d0 - d2 + u, t5 = d5 - d3 - v;
        (t0 + t0 - twiceV - v).Store(target);
        (twiceU - v - (sum + sum + sum)).Store(target + stride);
        (twiceU - twiceV - (difference + difference + difference)).Store(target + 2 * stride);
        (twiceU + v).Store(target + 3 * stride);
        (u - twiceV).Store(target + 4 * stride);
        (t5 + t5 - twiceU - u).Store(target + 5 * stride);
    }
}
