using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>
/// Bilinear interpolation. The result has the parameters of the input, since it is between the values that it comes from.
/// <code>
/// y = QuantizeLinear (Resize &lt;mode = "linear"&gt; (DequantizeLinear (x), , [1, 1, 2, 2]))
/// c = Transpose (x); r = com.nestquant.QLinearResize (c, [2, 2]); y = Transpose (r)
/// </code>
/// </summary>
internal static class LinearResizeRule
{
    private const int Rank = 4, Scales = 2, Sizes = 3;

    /// <summary>Writes the integer form of the matched Resize.</summary>
    public static string? Apply(IntegerMatch match)
    {
        NodeProto node = match.Node;
        GraphView view = match.Graph.View;
        if (WhyNone(node, view) is { } reason) return reason;
        if (match.Source(0) is not { } source) return match.WhyNoSource(0);
        if (match.Ranks.Of(source.Name) != Rank) return "its input is not known to have two spatial axes";
        UniqueNames names = match.Graph.Names;
        string output = match.Result.Quantizer.Output[0];
        string channelsLast = names.Next(source.Name + "_channels_last"), resized = names.Next(output + "_channels_last");
        (string input, TensorProto parameter) = ScalesOf(node, view) is { } scales
            ? (InputNames.Scales, TensorProto.FromFloats(names.Next(output + "_scales"), [scales.Length], scales))
            : (InputNames.Sizes, TensorProto.FromInt64s(names.Next(output + "_sizes"), [2], SizesOf(node, view)!));
        view.AddInitializer(parameter);
        NodeProto resize = OperatorSet.QLinearResize.NewNode(
            node.Name, [(InputNames.X, channelsLast), (input, parameter.Name)], resized);
        resize.Attribute.Add(AttributeProto.String(AttributeNames.Coordinates, Coordinates(node)));
        OperatorDomain.Import(match.Graph.Model);
        view.InsertBefore(
            node,
            AxisOrder.Transpose(source.Name, channelsLast, AxisOrder.ToLast(Rank), names.Next(output + "_to_channels_last")),
            resize);
        return MovementRule.Move(
            match, source, AxisOrder.Transpose(resized, "", AxisOrder.ToFirst(Rank), names.Next(output + "_to_channels_first")));
    }

    /// <summary>Why a linear Resize has no integer form; null where it has one.</summary>
    public static string? WhyNone(NodeProto node, GraphView view)
    {
        if (!ResizeCoordinates.All.Contains(Coordinates(node))) return $"{Coordinates(node)} has no integer form";
        if (node.GetInt("antialias", 0) != 0) return "it filters against aliasing";
        if (node.GetString("keep_aspect_ratio_policy", "stretch") != "stretch") return "it keeps the aspect ratio";
        return ScalesOf(node, view) is null && SizesOf(node, view) is null
            ? "only a linear Resize of two spatial axes by constant scales or to constant sizes has an integer form"
            : null;
    }

    private static string Coordinates(NodeProto node) => node.GetString(AttributeNames.Coordinates, ResizeCoordinates.HalfPixel);

    /// <summary>The scales of height and width; null where they are not constants, or there are others.</summary>
    private static float[]? ScalesOf(NodeProto node, GraphView view) =>
        view.Constant(node.InputAt(Scales)) is { DataType: TensorDataType.Float, ElementCount: > 0 } tensor
            && Spatial(tensor.ToFloats(), node) is { } scales
            && (node.GetAttribute("axes") is not null || tensor.ToFloats().AsSpan(0, Rank - 2).SequenceEqual([1, 1]))
            && Array.TrueForAll(scales, static scale => float.IsFinite(scale) && scale > 0)
            ? scales
            : null;

    /// <summary>The extents of the result; null where they are not constants.</summary>
    private static long[]? SizesOf(NodeProto node, GraphView view) =>
        ConstantAxes.Integers(node, Sizes, view) is { } values
            && Spatial(values, node) is { } sizes
            && Array.TrueForAll(sizes, static size => size is > 0 and <= ResizeCoordinates.MostExtent)
            ? sizes
            : null;

    /// <summary>Of values for each axis, or for the axes that the node names, those of height and width; null for other axes.</summary>
    private static T[]? Spatial<T>(T[] values, NodeProto node) => (node.GetInts("axes"), values) switch
    {
        (null, [_, _, var height, var width]) => [height, width],
        ([2 or -2, 3 or -1], [var height, var width]) => [height, width],
        ([3 or -1, 2 or -2], [var width, var height]) => [height, width],
        _ => null,
    };
}
