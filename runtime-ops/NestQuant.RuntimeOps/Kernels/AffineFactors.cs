namespace NestQuant.RuntimeOps.Kernels;

/// <summary>The factors of <see cref="ByteAffine"/>, in steps of the output's scale: <c>v = (x - zero point) * scale + bias</c>.</summary>
internal readonly unsafe struct AffineFactors
{
    /// <summary>Below this magnitude rounding by addition is exact, and so is every vector path.</summary>
    private const float VectorLimit = 1 << 22;

    /// <summary>Computes the factors: the scales are multiplied, then divided, each rounded once.</summary>
    /// <param name="memory"><see cref="Bytes"/> bytes, which the factors stay in.</param>
    /// <param name="channels">C.</param>
    /// <param name="scale">A factor of every channel [C]; null for 1.</param>
    /// <param name="bias">What is added to every channel [C]; null for 0.</param>
    /// <param name="slope">A factor of negative results of every channel [C]; null for 1.</param>
    /// <param name="xScale">Scale of the input, finite and positive.</param>
    /// <param name="yScale">Scale of the output, finite and positive.</param>
    public AffineFactors(float* memory, int channels, float* scale, float* bias, float* slope, float xScale, float yScale)
    {
        Channels = channels;
        Scale = memory;
        Bias = memory + channels;
        Slope = memory + (2L * channels);
        AreSmall = true;
        for (int c = 0; c < channels; c++)
        {
            Scale[c] = (scale == null ? xScale : xScale * scale[c]) / yScale;
            Bias[c] = bias == null ? 0 : bias[c] / yScale;
            Slope[c] = slope == null ? 1 : slope[c];
            float largest = LargestResult(Scale[c], Bias[c], Slope[c]);
            if (!float.IsFinite(largest))
                UnusableChannel ??= c;
            AreSmall &= largest < VectorLimit;
        }
    }

    /// <summary>A bound of the magnitude of a channel's results, in steps of the output's scale; the factors are usable where it is
    /// finite.</summary>
    public static float LargestResult(float scale, float bias, float slope) =>
        ((byte.MaxValue * MathF.Abs(scale)) + MathF.Abs(bias)) * MathF.Max(1, MathF.Abs(slope));

    /// <summary>Bytes that the factors of some channels take.</summary>
    public static long Bytes(int channels) => 3L * channels * sizeof(float);

    /// <summary>C.</summary>
    public int Channels { get; }

    /// <summary>[C].</summary>
    public float* Scale { get; }

    /// <summary>[C].</summary>
    public float* Bias { get; }

    /// <summary>[C].</summary>
    public float* Slope { get; }

    /// <summary>Whether all results are small enough for vectors.</summary>
    public bool AreSmall { get; }

    /// <summary>The first channel that can have results that are not finite; null for none.</summary>
    public int? UnusableChannel { get; }
}
