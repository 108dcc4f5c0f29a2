using System.Numerics.Tensors;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Scale and zero point of one output channel in the paper's form: <c>x = Multiplier * w - Offset</c> is what gets rounded
/// (NestQuant, section III; float32 throughout, so that the integers are those of the released code).
/// </summary>
/// <param name="Multiplier">Integer steps per unit of weight: the inverse of ONNX's scale. Finite and positive.</param>
/// <param name="Offset">Minus ONNX's zero point: an integer of at most <see cref="LargestOffset"/> in magnitude.</param>
internal readonly record struct ChannelScale(float Multiplier, float Offset)
{
    /// <summary>Greatest magnitude of an offset: beyond 2^23 float32 no longer resolves the fraction that rounding looks at.</summary>
    public const float LargestOffset = 1 << 23;

    /// <summary>Ranges are widened to this, as in the released code, so that an all-zero channel has a scale.</summary>
    private const float SmallestRange = 1e-8f;

    /// <summary>ONNX's scale: weight units per integer step.</summary>
    public float Scale => 1 / Multiplier;

    /// <summary>ONNX's zero point.</summary>
    public int ZeroPoint => (int)-Offset;

    /// <summary>Symmetric scale: zero point 0 and the largest magnitude at 2^(bits-1) - 1.</summary>
    public static ChannelScale Symmetric(ReadOnlySpan<float> weights, int bits)
    {
        (float min, float max) = Range(weights);
        return new ChannelScale(((1 << (bits - 1)) - 1) / MathF.Max(MathF.Max(-min, max), SmallestRange), 0);
    }

    /// <summary>
    /// Affine scale: minimum and maximum at the ends of the integer range. Zero is not forced into it, but a channel that is so
    /// nearly constant that its offset could not be represented is widened to include zero.
    /// </summary>
    public static ChannelScale Affine(ReadOnlySpan<float> weights, int bits)
    {
        (float min, float max) = Range(weights);
        ChannelScale scale = FromRange(min, max, bits);
        return MathF.Abs(scale.Offset) <= LargestOffset ? scale : FromRange(MathF.Min(min, 0), MathF.Max(max, 0), bits);
    }

    private static ChannelScale FromRange(float min, float max, int bits)
    {
        int steps = (1 << bits) - 1;
        float range = MathF.Max(max - min, SmallestRange);
        // Weights near both ends of float32 are further apart than float32 can say.
        float multiplier = float.IsFinite(range) ? steps / range : (float)(steps / ((double)max - min));
        return new ChannelScale(multiplier, MathF.Round(multiplier * min) + (1 << (bits - 1)));
    }

    private static (float Min, float Max) Range(ReadOnlySpan<float> weights) =>
        (TensorPrimitives.Min(weights), TensorPrimitives.Max(weights));
}
