using System.Numerics.Tensors;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Quantizes one output channel to n bits, and that to every lower level. Holds scratch memory: one instance per thread.
/// </summary>
internal sealed class ChannelNester
{
    private readonly WeightQuantization _quantization;
    private readonly AdaptiveRounding _adaptive;
    private readonly float[] _scaled;
    private readonly float[] _rounded;
    private readonly IReadOnlyList<int> _bits;

    /// <summary>Creates a nester for channels of up to <paramref name="maxChannelLength"/> weights.</summary>
    public ChannelNester(WeightQuantization quantization, int maxChannelLength)
    {
        _quantization = quantization;
        _adaptive = new AdaptiveRounding(maxChannelLength);
        _scaled = new float[maxChannelLength];
        _rounded = new float[maxChannelLength];
        _bits = quantization.Bits.Levels;
    }

    /// <summary>Nests one channel.</summary>
    /// <param name="weights">The channel's finite weights, kernel after kernel.</param>
    /// <param name="taps">Weights per kernel.</param>
    /// <param name="levels">
    /// Receives the integers of one level after the other, full precision first; those of b bits are in [-2^(b-1), 2^(b-1) - 1].
    /// </param>
    /// <param name="given">The scale; null for the one that holds all weights.</param>
    /// <returns>The channel's scale and the sums from which SQNR follows.</returns>
    public NestedChannel Nest(ReadOnlySpan<float> weights, int taps, Span<sbyte> levels, ChannelScale? given = null)
    {
        NestedBits bits = _quantization.Bits;
        ChannelScale scale = given
            ?? (_quantization.Scheme == WeightScheme.Symmetric
                ? ChannelScale.Symmetric(weights, bits.Full)
                : ChannelScale.Affine(weights, bits.Full));
        int length = weights.Length;
        Quantize(weights, taps, scale, levels[..length], clips: given is not null);
        for (int level = 1; level < bits.Count; level++)
            Split(levels.Slice((level - 1) * length, length), taps, level, levels.Slice(level * length, length));
        return NestedChannel.Measure(bits, scale.Scale, scale.ZeroPoint, partScales: [], weights, levels, _scaled);
    }

    /// <summary>The full-bit stage: integers of n bits (algorithm 1.1).</summary>
    /// <param name="weights">The channel's weights.</param>
    /// <param name="taps">Weights per kernel.</param>
    /// <param name="scale">The scale.</param>
    /// <param name="integers">Receives the integers.</param>
    /// <param name="clips">Whether the scale may leave weights outside the range.</param>
    public void Quantize(ReadOnlySpan<float> weights, int taps, ChannelScale scale, Span<sbyte> integers, bool clips = false)
    {
        Span<float> scaled = _scaled.AsSpan(0, weights.Length);
        TensorPrimitives.Multiply(weights, scale.Multiplier, scaled);
        TensorPrimitives.Subtract(scaled, scale.Offset, scaled);
        // Other weights of the kernel must not make up for what is clipped: it is worth many of their steps.
        float limit = 1 << (_quantization.Bits.Full - 1);
        if (clips) TensorPrimitives.Clamp(scaled, -limit, limit - 1, scaled);
        Round(
            _quantization.Rounding,
            scaled,
            taps,
            _quantization.Bits.Full,
            integers);
    }

    /// <summary>The split: the integers of a level are those of the next higher one, divided by 2^l and rounded (section 1.2).</summary>
    /// <param name="above">The integers of the next higher level.</param>
    /// <param name="taps">Weights per kernel.</param>
    /// <param name="level">Position of the level, from 1.</param>
    /// <param name="below">Receives the integers of the level.</param>
    public void Split(ReadOnlySpan<sbyte> above, int taps, int level, Span<sbyte> below)
    {
        int bits = _bits[level];
        int hi = (1 << (bits - 1)) - 1;
        float inverse = 1f / (1 << (_bits[level - 1] - bits));
        Span<float> scaled = _scaled.AsSpan(0, above.Length);
        ByteConversion.Load(above, scaled);
        TensorPrimitives.Multiply(scaled, inverse, scaled);
        TensorPrimitives.Clamp(scaled, -hi - 1, hi, scaled);
        Round(_quantization.SplitRounding, scaled, taps, bits, below);
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
}
