using System.Numerics.Tensors;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Quantizes one output channel to n bits and splits it into its high and low parts. Holds scratch memory: one instance per thread.
/// </summary>
internal sealed class ChannelNester
{
    private readonly WeightQuantization _quantization;
    private readonly AdaptiveRounding _adaptive;
    private readonly float[] _scaled;
    private readonly float[] _rounded;
    private readonly sbyte[] _integers;

    /// <summary>Creates a nester for channels of up to <paramref name="maxChannelLength"/> weights.</summary>
    public ChannelNester(WeightQuantization quantization, int maxChannelLength)
    {
        _quantization = quantization;
        _adaptive = new AdaptiveRounding(maxChannelLength);
        _scaled = new float[maxChannelLength];
        _rounded = new float[maxChannelLength];
        _integers = new sbyte[maxChannelLength];
    }

    /// <summary>Nests one channel.</summary>
    /// <param name="weights">The channel's finite weights, kernel after kernel.</param>
    /// <param name="taps">Weights per kernel.</param>
    /// <param name="high">Receives w_high, in [-2^(h-1), 2^(h-1) - 1].</param>
    /// <param name="low">Receives w_low, in [-2^l, 2^l - 1]: <c>2^l * w_high + w_low</c> is the n-bit integer of every weight.</param>
    /// <returns>The channel's scale and the sums from which SQNR follows.</returns>
    public NestedChannel Nest(ReadOnlySpan<float> weights, int taps, Span<sbyte> high, Span<sbyte> low)
    {
        ChannelScale scale = _quantization.Scheme == WeightScheme.Symmetric
            ? ChannelScale.Symmetric(weights, _quantization.Bits.Full)
            : ChannelScale.Affine(weights, _quantization.Bits.Full);
        Span<sbyte> integers = _integers.AsSpan(0, weights.Length);
        Quantize(weights, taps, scale, integers);
        Split(integers, taps, high, low);
        return Measure(weights, scale, integers, high);
    }

    /// <summary>The full-bit stage: integers of n bits (algorithm 1.1).</summary>
    public void Quantize(ReadOnlySpan<float> weights, int taps, ChannelScale scale, Span<sbyte> integers)
    {
        Span<float> scaled = _scaled.AsSpan(0, weights.Length);
        TensorPrimitives.Multiply(weights, scale.Multiplier, scaled);
        TensorPrimitives.Subtract(scaled, scale.Offset, scaled);
        Round(
            _quantization.Rounding,
            scaled,
            taps,
            _quantization.Bits.Full,
            integers);
    }

    /// <summary>The split: the high part is the integer divided by 2^l and rounded, the low part the rest (section 1.2).</summary>
    public void Split(ReadOnlySpan<sbyte> integers, int taps, Span<sbyte> high, Span<sbyte> low)
    {
        int shift = _quantization.Bits.Shift;
        int hi = (1 << (_quantization.Bits.High - 1)) - 1;
        float inverse = 1f / (1 << shift);
        Span<float> scaled = _scaled.AsSpan(0, integers.Length);
        ByteConversion.Load(integers, scaled);
        TensorPrimitives.Multiply(scaled, inverse, scaled);
        TensorPrimitives.Clamp(scaled, -hi - 1, hi, scaled);
        Round(_quantization.SplitRounding, scaled, taps, _quantization.Bits.High, high);
        TensorPrimitives.Multiply(high, unchecked((sbyte)(1 << shift)), low);
        TensorPrimitives.Subtract(integers, low, low);
    }

    private void Round(WeightRounding rounding, ReadOnlySpan<float> x, int taps, int bits, Span<sbyte> integers)
    {
        int hi = (1 << (bits - 1)) - 1, lo = -hi - 1;
        switch (rounding)
        {
            case WeightRounding.Adaptive:
                _adaptive.Round(x, taps, lo, hi, integers);
                break;
            case WeightRounding.Nearest:
                TensorPrimitives.Round(x, _rounded.AsSpan(0, x.Length));
                ByteConversion.Store(_rounded.AsSpan(0, x.Length), lo, hi, integers);
                break;
            case WeightRounding.Floor:
                TensorPrimitives.Floor(x, _rounded.AsSpan(0, x.Length));
                ByteConversion.Store(_rounded.AsSpan(0, x.Length), lo, hi, integers);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(rounding), rounding, "unknown rounding");
        }
    }

    private NestedChannel Measure(
        ReadOnlySpan<float> weights, ChannelScale scale, ReadOnlySpan<sbyte> integers, ReadOnlySpan<sbyte> high) => new(
        scale.Scale,
        scale.ZeroPoint,
        FixedOrderSum.OfSquares(weights),
        Noise(weights, integers, gain: 1, scale),
        Noise(weights, high, gain: 1 << _quantization.Bits.Shift, scale));

    /// <summary>Sum of squared differences between the weights and <c>(gain * integer - zero point) * scale</c>.</summary>
    private double Noise(ReadOnlySpan<float> weights, ReadOnlySpan<sbyte> integers, int gain, ChannelScale scale)
    {
        Span<float> errors = _scaled.AsSpan(0, weights.Length);
        ByteConversion.Load(integers, errors);
        if (gain != 1) TensorPrimitives.Multiply(errors, gain, errors);
        TensorPrimitives.Subtract(errors, scale.ZeroPoint, errors);
        TensorPrimitives.Multiply(errors, scale.Scale, errors);
        TensorPrimitives.Subtract(errors, weights, errors);
        return FixedOrderSum.OfSquares(errors);
    }
}

/// <summary>What nesting one channel yields beside the integers.</summary>
/// <param name="Scale">ONNX scale.</param>
/// <param name="ZeroPoint">ONNX zero point.</param>
/// <param name="Signal">Sum of squared weights.</param>
/// <param name="NoiseFull">Sum of squared errors of the full-bit weights.</param>
/// <param name="NoisePart">Sum of squared errors of the part-bit weights.</param>
internal readonly record struct NestedChannel(float Scale, int ZeroPoint, double Signal, double NoiseFull, double NoisePart);
