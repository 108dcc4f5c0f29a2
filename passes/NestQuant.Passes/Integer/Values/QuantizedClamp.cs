using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Values;

/// <summary>The bounds that a Relu or Clip before a QuantizeLinear puts on the quantized result.</summary>
/// <remarks>
/// Q(v) = saturate(round(v / scale) + zero_point) is monotonic: so are dividing by a positive scale, rounding, adding a constant and
/// saturating, in exact arithmetic and in float32. A monotonic function commutes with minimum and maximum, so Q(min(max(v, a), b)) =
/// min(max(Q(v), Q(a)), Q(b)) for every v: clamping the integers is exact, not an approximation. Where Q(a) is 0 and Q(b) is 255,
/// saturation suffices.
/// </remarks>
/// <param name="Min">Smallest quantized result, 0 to 255.</param>
/// <param name="Max">Largest quantized result, <paramref name="Min"/> to 255.</param>
internal readonly record struct QuantizedClamp(byte Min, byte Max)
{
    /// <summary>No bounds but those of uint8.</summary>
    public static QuantizedClamp None => new(byte.MinValue, byte.MaxValue);

    /// <summary>Whether saturation alone enforces the bounds.</summary>
    public bool IsSaturation => this == None;

    /// <summary>Whether a node is one whose bounds <see cref="Of"/> can find.</summary>
    public static bool IsCandidate(NodeProto node) => node.Is("Relu") || node.Is("Clip");

    /// <summary>
    /// The bounds of a Relu or Clip whose result is quantized with <paramref name="result"/>; null where they are not constant.
    /// </summary>
    public static QuantizedClamp? Of(NodeProto node, QuantizationParameters result, GraphView view)
    {
        if (node.Is("Relu")) return new QuantizedClamp(result.Quantize(0), byte.MaxValue);
        float? min = ClipBound.Min(node, view), max = ClipBound.Max(node, view);
        // Clip with crossed bounds returns the upper one; so would the clamp, but the operators take no such bounds.
        return min <= max ? new QuantizedClamp(result.Quantize(min.Value), result.Quantize(max.Value)) : null;
    }
}
