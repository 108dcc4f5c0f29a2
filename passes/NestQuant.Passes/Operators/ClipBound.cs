using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Operators;

/// <summary>The constant bounds of ONNX Clip, which are attributes before operator set 11 and inputs since, and of Relu.</summary>
internal static class ClipBound
{
    /// <summary>The bounds of a Relu or Clip; null for other nodes, and where they are not constant or not in order.</summary>
    public static (float Min, float Max)? Of(NodeProto activation, GraphView view)
    {
        if (activation.Is("Relu")) return (0, float.PositiveInfinity);
        if (!activation.Is("Clip")) return null;
        return Min(activation, view) is { } min && Max(activation, view) is { } max && min <= max ? (min, max) : null;
    }

    /// <summary>The lower bound: negative infinity where there is none, null where it is not constant.</summary>
    public static float? Min(NodeProto clip, GraphView view) => Of(clip, view, 1, "min", float.NegativeInfinity);

    /// <summary>The upper bound: positive infinity where there is none, null where it is not constant.</summary>
    public static float? Max(NodeProto clip, GraphView view) => Of(clip, view, 2, "max", float.PositiveInfinity);

    private static float? Of(NodeProto clip, GraphView view, int input, string attribute, float none) =>
        clip.InputAt(input) is { Length: > 0 } name ? ScalarConstant.Float(view, name) : clip.GetFloat(attribute, none);
}
