using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>
/// NestQuant's operators on channels-last bytes that do not multiply by weights, as ONNX's on channels-first floats.
/// <code>
/// y = com.nestquant.QLinearResize (x, scales)
/// y = QuantizeLinear (Resize &lt;mode = "linear"&gt; (DequantizeLinear (x), , scales))
/// </code>
/// </summary>
internal static class ChannelsLastExport
{
    private const int Rank = 4, Axes = 2;

    /// <summary>First operator set whose Resize names its axes.</summary>
    private const int FirstOpsetWithAxes = 18;

    /// <summary>NhwcDepthToSpace.</summary>
    public static void DepthToSpace(NodeProto node, ExportedGraph graph) => Write(
        node, graph, "DepthToSpace", [], AttributeProto.Int(AttributeNames.BlockSize, node.GetInt(OperatorAttributes.BlockSize)));

    /// <summary>QLinearResize.</summary>
    public static void Resize(NodeProto node, ExportedGraph graph)
    {
        var attributes = new List<AttributeProto>
        {
            AttributeProto.String("mode", "linear"),
            AttributeProto.String(AttributeNames.Coordinates, node.GetString(OperatorAttributes.Coordinates)),
        };
        if (graph.View.Constant(node.InputAt(InputNames.Scales)) is { DataType: TensorDataType.Float, ElementCount: Axes } scales)
        {
            float[] all = [1, 1, .. scales.ToFloats()];
            Write(
                node, graph, "Resize", ["", graph.Context.Add(scales.Name, name => TensorProto.FromFloats(name, [Rank], all))],
                [.. attributes]);
            return;
        }

        if (graph.View.Constant(node.InputAt(InputNames.Sizes)) is not { DataType: TensorDataType.Int64, ElementCount: Axes } sizes)
            throw NestedOperator.Damaged(node, "it has neither two constant scales nor two constant sizes");
        if (graph.Context.Opset >= FirstOpsetWithAxes) attributes.Add(AttributeProto.IntList("axes", 2, 3));
        string extents = graph.Context.Opset >= FirstOpsetWithAxes ? sizes.Name : AllSizes(node, sizes.Name, graph);
        Write(node, graph, "Resize", ["", "", extents], [.. attributes]);
    }

    /// <summary>The extents of the samples and channels, and those of the result.</summary>
    private static string AllSizes(NodeProto node, string sizes, ExportedGraph graph)
    {
        string shape = graph.Step(node.Output[0], "_shape"), outer = graph.Step(node.Output[0], "_outer");
        string all = graph.Step(node.Output[0], "_sizes");
        graph.Add("Shape", shape, [graph.ChannelsFirst(node.Input[0], Rank)], shape);
        string start = graph.Context.Add(outer + "_start", static name => TensorProto.FromInt64s(name, [1], [0]));
        string end = graph.Context.Add(outer + "_end", static name => TensorProto.FromInt64s(name, [1], [Rank - Axes]));
        graph.Add("Slice", outer, [shape, start, end], outer);
        graph.Add("Concat", all, [outer, sizes], all, AttributeProto.Int("axis", 0));
        return all;
    }

    private static void Write(
        NodeProto node, ExportedGraph graph, string opType, string[] parameters, params ReadOnlySpan<AttributeProto> attributes)
    {
        string x = graph.ChannelsFirst(node.Input[0], Rank);
        ExportedParameters? known = graph.Parameters(node.Input[0]);
        string output = known is null ? graph.Define(node.Output[0], Rank) : graph.Step(node.Output[0]);
        graph.Add(opType, node.Name, [known is { } bytes ? graph.Dequantize(x, bytes) : x, .. parameters], output, attributes);
        if (known is { } same) graph.Quantize(output, node.Output[0], same, Rank);
        graph.Log(node);
    }
}
