using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>
/// Functions of every channel.
/// <code>
/// y = com.nestquant.QLinearAffine (x, x_scale, x_zero_point, scale, bias, slope, y_scale, y_zero_point)
/// y = QuantizeLinear (PRelu (Add (Mul (DequantizeLinear (x), scale), bias), slope))
/// </code>
/// </summary>
internal static class AffineExport
{
    /// <summary>No tensor has more; damaged models say anything.</summary>
    private const int MostAxes = 64;

    /// <summary>QLinearAffine.</summary>
    public static void Affine(NodeProto node, ExportedGraph graph)
    {
        ExportedValue x = graph.Value(node.InputAt(InputNames.X));
        string value = graph.Dequantize(x.Name, graph.ParametersAt(node, InputNames.XScale));
        foreach ((string input, string operation) in (ReadOnlySpan<(string, string)>)
            [(InputNames.ChannelScale, "Mul"), (InputNames.ChannelBias, "Add"), (InputNames.Slope, "PRelu")])
        {
            if (node.InputAt(input).Length == 0) continue;
            string output = graph.Step(node.Output[0], "_" + input);
            graph.Add(operation, output, [value, Factors(node, input, x, graph)], output);
            value = output;
        }

        ClampExport.Quantize(node, value, graph, x.ChannelsLastRank);
        graph.Log(node);
    }

    /// <summary>A constant that broadcasts along the channels of the exported value.</summary>
    private static string Factors(NodeProto node, string input, ExportedValue x, ExportedGraph graph)
    {
        long axis = node.GetInt(OperatorAttributes.Axis);
        if (axis >= 0 || axis < -MostAxes) throw NestedOperator.Damaged(node, $"its axis is {axis}");
        if (x.IsTurned) axis = LayoutChange.Of(axis, x.ChannelsLastRank, toLast: false) - x.ChannelsLastRank;
        if (graph.View.Constant(node.InputAt(input)) is not { DataType: TensorDataType.Float } tensor)
            throw NestedOperator.Damaged(node, $"its {input} is no float constant");
        long[] shape = [tensor.ElementCount, .. Enumerable.Repeat(1L, (int)(-axis - 1))];
        return graph.Context.Add(tensor.Name, name => TensorProto.FromFloats(name, shape, tensor.ToFloats()));
    }
}
