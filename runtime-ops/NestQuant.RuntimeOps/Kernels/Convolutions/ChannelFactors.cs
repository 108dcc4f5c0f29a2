using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>
/// The factors of a weight's output channels at one level, and the largest of each, which decide which algorithms are exact.
/// </summary>
internal readonly unsafe struct ChannelFactors
{
    /// <summary>Finds the largest factors.</summary>
    /// <param name="scale">The weights' scales [M], finite and positive.</param>
    /// <param name="zeroPoint">The weights' zero points [M], or null for 0.</param>
    /// <param name="bias">The bias [M], or null for 0.</param>
    /// <param name="channels">M.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public ChannelFactors(float* scale, int* zeroPoint, float* bias, int channels)
    {
        // In bounds: M scales, biases and zero points.
        Scale = scale;
        ZeroPoint = zeroPoint;
        Bias = bias;
        Vector256<float> scales = default, biases = default;
        int m = 0;
        for (; m <= channels - Vector256<float>.Count; m += Vector256<float>.Count)
        {
            scales = Vector256.Max(scales, Vector256.Load(scale + m));
            if (bias != null)
                biases = Vector256.Max(biases, Vector256.Abs(Vector256.Load(bias + m)));
        }

        for (int i = 0; i < Vector256<float>.Count; i++)
            (LargestScale, LargestBias) = (MathF.Max(LargestScale, scales[i]), MathF.Max(LargestBias, biases[i]));
        for (; m < channels; m++)
        {
            LargestScale = MathF.Max(LargestScale, scale[m]);
            LargestBias = MathF.Max(LargestBias, bias == null ? 0 : MathF.Abs(bias[m]));
        }

        for (m = 0; zeroPoint != null && m < channels; m++)
            LargestZeroPoint = Math.Max(LargestZeroPoint, Math.Abs((long)zeroPoint[m]));
    }

    /// <summary>The weights' scales [M], finite and positive.</summary>
    public float* Scale { get; }

    /// <summary>The weights' zero points [M], or null for 0.</summary>
    public int* ZeroPoint { get; }

    /// <summary>The bias [M], or null for 0.</summary>
    public float* Bias { get; }

    /// <summary>The largest scale.</summary>
    public float LargestScale { get; }

    /// <summary>The largest magnitude of a bias; may be NaN.</summary>
    public float LargestBias { get; }

    /// <summary>The largest magnitude of a zero point.</summary>
    public long LargestZeroPoint { get; }
}
