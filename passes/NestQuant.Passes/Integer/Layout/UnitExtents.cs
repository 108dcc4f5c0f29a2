using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Whether the spatial extents of a tensor are all 1, and where its channels are.</summary>
internal enum UnitExtent
{
    /// <summary>The spatial extents are not known to be 1.</summary>
    None,

    /// <summary>[N, C, 1, ...].</summary>
    ChannelsFirst,

    /// <summary>[N, 1, ..., C].</summary>
    ChannelsLast,
}

/// <summary>
/// The tensors whose spatial extents are all 1: their bytes are the same in either order of axes, so a transpose need not move any.
/// </summary>
internal sealed class UnitExtents
{
    private readonly Dictionary<string, UnitExtent> _extents = new(StringComparer.Ordinal);

    /// <summary>Looks at all nodes of a graph, in order.</summary>
    public UnitExtents(GraphView view)
    {
        foreach (NodeProto node in view.Graph.Node)
            if (node.Output.Count > 0 && Result(node, view) is var extent && extent != UnitExtent.None) _extents[node.Output[0]] = extent;
    }

    /// <summary>What is known about a value.</summary>
    public UnitExtent Of(string value) => _extents.GetValueOrDefault(value);

    private UnitExtent Result(NodeProto node, GraphView view)
    {
        if (AxisOrder.IsToFirst(node) && Of(node.InputAt(0)) == UnitExtent.ChannelsLast) return UnitExtent.ChannelsFirst;
        if (AxisOrder.IsToLast(node) && Of(node.InputAt(0)) == UnitExtent.ChannelsFirst) return UnitExtent.ChannelsLast;
        if (node.Is("GlobalAveragePool") || node.Is("GlobalMaxPool")) return UnitExtent.ChannelsFirst;
        if (node.OpType == MicrosoftOperators.QLinearGlobalAveragePool)
            return node.GetInt(MicrosoftOperators.ChannelsLast, 0) == 0 ? UnitExtent.ChannelsFirst : UnitExtent.ChannelsLast;
        if (node.Is("Reshape")) return Reshaped(ConstantAxes.Integers(node, 1, view));
        if (node.Is(OperatorSet.NestedConv) || node.Is(OperatorSet.NestedQLinearConv)) return Convolved(node);
        if (LayoutRules.For(node) is not { } rule || node.Is("Pad") || node.Is("Resize") || node.Is("DepthToSpace")) return UnitExtent.None;
        UnitExtent[] inputs = [.. rule.DataInputs(node).Select(input => Of(node.InputAt(input))).Distinct()];
        return inputs.Length == 1 ? inputs[0] : UnitExtent.None;
    }

    private static UnitExtent Reshaped(long[]? shape) => shape switch
    {
        { Length: > 2 } when Array.TrueForAll(shape[2..], static extent => extent == 1) => UnitExtent.ChannelsFirst,
        { Length: > 2 } when Array.TrueForAll(shape[1..^1], static extent => extent == 1) => UnitExtent.ChannelsLast,
        _ => UnitExtent.None,
    };

    /// <summary>A convolution with a kernel of extent 1 and no padding leaves extents of 1 as they are.</summary>
    private UnitExtent Convolved(NodeProto node)
    {
        bool isPointwise = node.GetInts(AttributeNames.Shape) is { Length: > 2 } shape
            && Array.TrueForAll(shape[2..], static extent => extent == 1)
            && !(node.GetInts(AttributeNames.Pads) is { } pads && Array.Exists(pads, static pad => pad != 0));
        return isPointwise ? Of(node.InputAt(0)) : UnitExtent.None;
    }
}
