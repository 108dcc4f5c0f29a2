using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>
/// The start of a GroupNL block, and of any other L2 normalisation.
/// <code>
/// norm = ReduceL2 (seeds); bounded = Clip (norm, epsilon); e = Expand (bounded, shape); n = Div (seeds, e)
/// </code>
/// Max may replace Clip, and Expand may be missing, since Div broadcasts.
/// </summary>
/// <param name="Norm">The ReduceL2.</param>
/// <param name="Bound">The Clip or Max; null where there is none.</param>
/// <param name="Expand">The Expand; null where there is none.</param>
/// <param name="Divide">The Div.</param>
internal sealed record SeedNormalisation(NodeProto Norm, NodeProto? Bound, NodeProto? Expand, NodeProto Divide)
{
    /// <summary>First default operator set whose Clip has its bounds as inputs.</summary>
    private const int ClipWithInputs = 11;

    /// <summary>Name of the seed maps.</summary>
    public string Seeds => Divide.Input[0];

    /// <summary>Finds the normalisation that ends in a Div; null when the Div divides by anything but a bounded norm.</summary>
    public static SeedNormalisation? EndingIn(NodeProto divide, GraphView view)
    {
        if (!divide.Is("Div") || divide.Input.Count != 2 || divide.Output is not [{ Length: > 0 }]) return null;
        NodeProto? node = view.Producer(divide.InputAt(1)), expand = null, bound = null;
        if (node is not null && node.Is("Expand"))
        {
            expand = node;
            node = view.Producer(node.InputAt(0));
        }

        if (node is not null && (node.Is("Clip") || node.Is("Max")))
        {
            bound = node;
            node = node.Input.Select(view.Producer).FirstOrDefault(static producer => producer is not null && producer.Is("ReduceL2"));
        }

        return node is not null && node.Is("ReduceL2") ? new SeedNormalisation(node, bound, expand, divide) : null;
    }

    /// <summary>Why this is not the L2 norm over channels with a positive lower bound; null when it is.</summary>
    /// <param name="view">The graph.</param>
    /// <param name="opset">Version of the default operator set.</param>
    /// <param name="epsilon">The lower bound.</param>
    public string? WhyNot(GraphView view, long opset, out float epsilon)
    {
        epsilon = 0;
        if (Norm.InputAt(0) != Seeds) return $"the norm is that of '{Norm.InputAt(0)}', but '{Seeds}' is divided by it";
        if (Norm.GetInt("keepdims", 1) == 0) return "the norm does not keep the channel axis";
        long[]? axes = Norm.GetInts("axes")
            ?? (view.Constant(Norm.InputAt(1)) is { DataType: TensorDataType.Int64 } tensor ? tensor.ToInt64s() : null);
        if (axes is not [TracedMaps.ChannelAxis] and not [TracedMaps.ChannelAxis - TracedMaps.Rank])
            return axes is null ? "the axis of the norm is not a constant" : WhyNotOver(axes);
        if (Bound is null) return "the norm has no lower bound";
        if (LowerBound(Bound, view, opset) is not { } bound)
            return $"the lower bound of the norm, in {Bound.OpType} '{Bound.DisplayName()}', is not a single constant";
        epsilon = bound;
        return float.IsFinite(bound) && bound > 0
            ? null
            : FormattableString.Invariant($"the lower bound of the norm is {bound}, not positive");
    }

    private static string WhyNotOver(long[] axes)
    {
        string reason = $"the norm is taken over axis {string.Join(',', axes)}, not over the channels (axis 1)";
        return axes is [TracedMaps.WidthAxis] or [TracedMaps.WidthAxis - TracedMaps.Rank]
            ? $"{reason}: a channels-last block is not fused; export the model channels first"
            : reason;
    }

    private float? LowerBound(NodeProto bound, GraphView view, long opset)
    {
        if (bound.Is("Max"))
            return bound.Input.Count == 2 ? ScalarConstant.Float(view, bound.Input[view.Producer(bound.Input[0]) == Norm ? 1 : 0]) : null;
        if (opset < ClipWithInputs)
            return bound.GetFloat("max", float.MaxValue) == float.MaxValue ? bound.GetFloat("min", float.MinValue) : null;
        bool unbounded = bound.InputAt(2).Length == 0 || ScalarConstant.Float(view, bound.InputAt(2)) is float.PositiveInfinity;
        return unbounded && bound.InputAt(0) == Norm.Output[0] ? ScalarConstant.Float(view, bound.InputAt(1)) : null;
    }
}
