using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Export;

/// <summary>
/// ONNX Runtime's own integer operators.
/// <code>
/// y = com.microsoft.QLinearAdd (a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point)
/// y = QuantizeLinear (Add (DequantizeLinear (a), DequantizeLinear (b)))
/// </code>
/// </summary>
internal static class QLinearExport
{
    /// <summary>QLinearAdd and QLinearMul.</summary>
    public static void Binary(NodeProto node, ExportedGraph graph)
    {
        Operands operands = Read(node, graph, [0, 3]);
        string output = graph.Step(node.Output[0]);
        graph.Add(node.OpType == MicrosoftOperators.QLinearAdd ? "Add" : "Mul", node.Name, operands.Names, output);
        graph.Quantize(output, node.Output[0], graph.ParametersAt(node, 6), operands.ChannelsLastRank);
        graph.Log(node);
    }

    /// <summary>QLinearConcat.</summary>
    public static void Concat(NodeProto node, ExportedGraph graph)
    {
        Operands operands = Read(node, graph, [.. Enumerable.Range(0, (node.Input.Count - 2) / 3).Select(static i => 2 + (3 * i))]);
        string output = graph.Step(node.Output[0]);
        long axis = node.GetInt("axis", 0);
        if (operands.ChannelsLastRank > 0) axis = LayoutChange.Of(axis, operands.ChannelsLastRank, toLast: false);
        graph.Add("Concat", node.Name, operands.Names, output, AttributeProto.Int("axis", axis));
        graph.Quantize(output, node.Output[0], graph.ParametersAt(node, 0), operands.ChannelsLastRank);
        graph.Log(node);
    }

    /// <summary>QLinearAveragePool and QLinearGlobalAveragePool.</summary>
    public static void Average(NodeProto node, ExportedGraph graph)
    {
        bool isLast = node.GetInt(MicrosoftOperators.ChannelsLast, 0) != 0;
        int rank = isLast ? graph.RankOfMaps(node) : 0;
        string x = graph.Dequantize(
            isLast ? graph.ChannelsFirst(node.Input[0], rank) : graph.AsCompiled(node.Input[0]), graph.ParametersAt(node, 1));
        string output = graph.Step(node.Output[0]);
        NodeProto pool = graph.Add(
            node.OpType == MicrosoftOperators.QLinearAveragePool ? "AveragePool" : "GlobalAveragePool", node.Name, [x], output);
        pool.Attribute.AddRange(node.Attribute.Where(static attribute => attribute.Name != MicrosoftOperators.ChannelsLast));
        graph.Quantize(output, node.Output[0], graph.ParametersAt(node, 3), rank);
        graph.Log(node);
    }

    /// <summary>NhwcMaxPool.</summary>
    public static void MaxPool(NodeProto node, ExportedGraph graph)
    {
        int rank = graph.RankOfMaps(node);
        string x = graph.ChannelsFirst(node.Input[0], rank);
        ExportedParameters? parameters = graph.Parameters(node.Input[0]);
        string output = parameters is null ? graph.Define(node.Output[0], rank) : graph.Step(node.Output[0]);
        NodeProto pool = graph.Add("MaxPool", node.Name, [parameters is { } known ? graph.Dequantize(x, known) : x], output);
        pool.Attribute.AddRange(node.Attribute);
        if (parameters is { } same) graph.Quantize(output, node.Output[0], same, rank);
        graph.Log(node);
    }

    /// <summary>
    /// Dequantizes operands that lie at some positions, each with scale and zero point behind it: all channels first where one is.
    /// </summary>
    private static Operands Read(NodeProto node, ExportedGraph graph, int[] positions)
    {
        int rank = positions.Max(position => graph.Value(node.InputAt(position)).ChannelsLastRank);
        string[] names = Array.ConvertAll(positions, position =>
        {
            string value = node.InputAt(position);
            return graph.Dequantize(
                rank > 0 ? graph.ChannelsFirst(value, rank) : graph.AsCompiled(value), graph.ParametersAt(node, position + 1));
        });
        return new Operands(names, rank);
    }

    private sealed record Operands(string[] Names, int ChannelsLastRank);
}
