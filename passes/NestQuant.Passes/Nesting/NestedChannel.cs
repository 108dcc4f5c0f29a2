using System.Numerics.Tensors;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>What nesting one channel yields beside the integers.</summary>
/// <param name="Scale">ONNX scale.</param>
/// <param name="ZeroPoint">ONNX zero point.</param>
/// <param name="Signal">Sum of squared weights.</param>
/// <param name="Noise">Sum of squared errors of the weights of every level, full precision first.</param>
internal readonly record struct NestedChannel(float Scale, int ZeroPoint, double Signal, double[] Noise)
{
    /// <summary>Measures the errors of a channel's levels.</summary>
    /// <param name="bits">The levels.</param>
    /// <param name="scale">ONNX scale.</param>
    /// <param name="zeroPoint">ONNX zero point.</param>
    /// <param name="partScales">The scale of every level below full precision; empty where it is <paramref name="scale"/>.</param>
    /// <param name="weights">The channel's weights.</param>
    /// <param name="levels">The integers of one level after the other, full precision first.</param>
    /// <param name="scratch">At least as long as <paramref name="weights"/>.</param>
    public static NestedChannel Measure(
        NestedBits bits,
        float scale,
        int zeroPoint,
        ReadOnlySpan<float> partScales,
        ReadOnlySpan<float> weights,
        ReadOnlySpan<sbyte> levels,
        Span<float> scratch)
    {
        var noise = new double[bits.Count];
        Span<float> errors = scratch[..weights.Length];
        for (int level = 0; level < noise.Length; level++)
        {
            ByteConversion.Load(levels.Slice(level * weights.Length, weights.Length), errors);
            if (level > 0) TensorPrimitives.Multiply(errors, 1 << (bits.Full - bits.Levels[level]), errors);
            TensorPrimitives.Subtract(errors, zeroPoint, errors);
            TensorPrimitives.Multiply(errors, level == 0 || partScales.IsEmpty ? scale : partScales[level - 1], errors);
            TensorPrimitives.Subtract(errors, weights, errors);
            noise[level] = FixedOrderSum.OfSquares(errors);
        }

        return new NestedChannel(scale, zeroPoint, FixedOrderSum.OfSquares(weights), noise);
    }
}
