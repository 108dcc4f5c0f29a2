using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>The uint8 results of operators that bound them in their last step.</summary>
internal static class ClampExport
{
    /// <summary>Bounds and quantizes the float result of an operator that does both in its epilogue.</summary>
    public static void Quantize(NodeProto node, string value, ExportedGraph graph, int channelsLastRank)
    {
        long min = node.GetInt(OperatorAttributes.ClampMin), max = node.GetInt(OperatorAttributes.ClampMax);
        if (min != byte.MinValue || max != byte.MaxValue) value = Clamp(node, value, min, max, graph);
        graph.Quantize(value, node.Output[0], graph.ParametersAt(node, InputNames.YScale), channelsLastRank);
    }

    /// <summary>Bounds in quantized terms as a Relu, or a Clip whose bounds quantize to them.</summary>
    private static string Clamp(NodeProto node, string value, long min, long max, ExportedGraph graph)
    {
        if (graph.View.Constant(node.InputAt(InputNames.YScale)) is not { DataType: TensorDataType.Float, ElementCount: 1 } scale
            || graph.View.Constant(
                node.InputAt(InputNames.YZeroPoint)) is not { DataType: TensorDataType.UInt8, ElementCount: 1 } zeroPoint)
            throw NestedOperator.Damaged(node, "it has bounds, and its scale and zero point are no constants");
        int zero = zeroPoint.GetBytes().Span[0];
        string output = graph.Step(node.Output[0], "_bounded");
        if (min == zero && max == byte.MaxValue)
        {
            graph.Add("Relu", output, [value], output);
            return output;
        }

        string Bound(long quantized, string suffix) =>
            graph.Context.Add(output + suffix, name => TensorProto.FromFloats(name, [], [(quantized - zero) * scale.ToFloats()[0]]));
        graph.Add(
            "Clip",
            output,
            [value, min == byte.MinValue ? "" : Bound(min, "_min"), max == byte.MaxValue ? "" : Bound(max, "_max")],
            output);
        return output;
    }
}
