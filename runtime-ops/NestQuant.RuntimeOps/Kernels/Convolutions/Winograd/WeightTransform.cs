using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Winograd;

/// <summary>
/// The transform of 3x3 weights, G g G^T (see <see cref="WinogradConvolution"/>), of 8 output and 2 input channels at a time.
/// </summary>
internal static unsafe class WeightTransform
{
    // Output channels, then input channels, in 32 bytes of a decoded panel.
    private const int VectorOutputs = 8;
    private const int VectorInputs = 4;

    /// <summary>Transforms a strip of output channels; results are at most 225 * 128 and fit in 16 bits.</summary>
    /// <param name="decoded">The strip's first channel in the first tap's first group of 4 input channels of a decoded panel, <c>[tap
    /// 9][input/4][output 32][4]</c>.</param>
    /// <param name="tapStride">Bytes from one tap to the next.</param>
    /// <param name="groups">Groups of 4 input channels to transform.</param>
    /// <param name="outputs">Output channels of the strip, a multiple of 8.</param>
    /// <param name="transformed">Receives <c>[input/2][output of the strip][2]</c> for each of 36 positions.</param>
    /// <param name="stride">Values from one position to the next.</param>
    [SkipLocalsInit]
    [MethodImpl(MethodCompilation.Loops)]
    public static void Run(sbyte* decoded, nint tapStride, int groups, int outputs, short* transformed, nint stride)
    {
        // In bounds: a group reads 4 bytes for each output of each tap and writes as many values to each position. The low byte of each 16
        // is the weight's after an arithmetic shift.
        Vector256<byte> firstPair = Vector256.Create(
            -1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1, 0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13).AsByte();
        Vector256<byte> secondPair = firstPair + Vector256.Create((short)0x0200).AsByte();
        Vector256<short>* columns = stackalloc Vector256<short>[18];
        for (
            int group = 0; group < groups; group++,
            decoded += KernelTier.TileChannels * VectorInputs,
            transformed += outputs * VectorInputs)
        {
            for (int output = 0; output < outputs; output += VectorOutputs)
            {
                sbyte* source = decoded + output * VectorInputs;
                short* target = transformed + output * 2;
                Kernels(source, tapStride, firstPair, columns, target, stride);
                Kernels(source, tapStride, secondPair, columns, target + outputs * 2, stride);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Kernels(sbyte* source, nint tapStride, Vector256<byte> pair, Vector256<short>* columns, short* target, nint stride)
    {
        for (int column = 0; column < 3; column++, source += tapStride)
            Combine(
                Widen(source, pair),
                Widen(source + 3 * tapStride, pair),
                Widen(source + 6 * tapStride, pair),
                (short*)(columns + column),
                3 * Vector256<short>.Count);
        Vector256<short>* line = columns;
        for (int row = 0; row < 6; row++, line += 3, target += 6 * stride)
            Combine(line[0], line[1], line[2], target, stride);
    }

    /// <summary>G times a vector of three.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Combine(Vector256<short> g0, Vector256<short> g1, Vector256<short> g2, short* target, nint stride)
    {
        Vector256<short> sum = g0 + g2, inner = g2 + g2 + g1, outer = (g0 << 2) + g2;
        (g0 * 15).Store(target);
        ((sum + g1) * -5).Store(target + stride);
        ((sum - g1) * 5).Store(target + 2 * stride);
        (inner + inner + g0).Store(target + 3 * stride);
        (g1 + g1 - outer).Store(target + 4 * stride);
        (g2 * 15).Store(target + 5 * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Widen(sbyte* weights, Vector256<byte> pair) =>
        X86Avx2.Shuffle(Vector256.Load(weights).AsByte(), pair).AsInt16() >> 8;
}
