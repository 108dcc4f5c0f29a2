using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Operators;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>
/// Tables: the function that a table was made from where the node names it and it gives the table, else a Gather from the table.
/// <code>
/// y = com.nestquant.QLinearLookup [function="HardSwish(x)"] (x, table)
/// y = QuantizeLinear (HardSwish (DequantizeLinear (x)))                 y = Gather (table, Cast (x))
/// </code>
/// </summary>
internal static class LookupExport
{
    /// <summary>QLinearLookup.</summary>
    public static void Lookup(NodeProto node, ExportedGraph graph)
    {
        if (
            graph.View.Constant(
                node.InputAt(InputNames.Table)) is not { DataType: TensorDataType.UInt8, ElementCount: PointwiseValue.TableLength } table)
            throw NestedOperator.Damaged(node, "its table is no constant of 256 uint8 values");
        ExportedValue x = graph.Value(node.InputAt(InputNames.X));
        FunctionText? function = FunctionText.Parse(node.GetString(OperatorAttributes.TableFunction));
        if (function is not null && graph.Parameters(node.InputAt(InputNames.X)) is { } source
            && graph.Parameters(node.Output[0]) is { } result
            && Constants(source, graph) is { } from && Constants(result, graph) is { } to && Gives(function, from, to, table))
        {
            string value = function.Write(graph, graph.Dequantize(x.Name, source), graph.Step(node.Output[0]));
            graph.Quantize(value, node.Output[0], result, x.ChannelsLastRank);
            graph.Log(node, node.GetString(OperatorAttributes.TableFunction));
            return;
        }

        string index = graph.Step(node.Output[0], "_index");
        graph.Add("Cast", index, [x.Name], index, AttributeProto.Int("to", (long)TensorDataType.Int32));
        graph.Add("Gather", node.Name, [table.Name, index], graph.Define(node.Output[0], x.ChannelsLastRank));
        graph.Log(node, "as a Gather from its table: the node names no operators of ONNX that give it");
    }

    /// <summary>Whether a function, computed as the compiler does, is the table.</summary>
    private static bool Gives(FunctionText function, QuantizationParameters from, QuantizationParameters to, TensorProto table)
    {
        ReadOnlySpan<byte> integers = table.GetBytes().Span;
        for (int q = 0; q < integers.Length; q++)
            if (function.Evaluate(from.Dequantize(q)) is not { } value || double.IsNaN(value) || to.Quantize(value) != integers[q])
                return false;
        return true;
    }

    private static QuantizationParameters? Constants(ExportedParameters parameters, ExportedGraph graph) =>
        graph.View.Constant(parameters.Scale) is { DataType: TensorDataType.Float, ElementCount: 1 } scale
        && graph.View.Constant(parameters.ZeroPoint) is { DataType: TensorDataType.UInt8, ElementCount: 1 } zeroPoint
            ? new QuantizationParameters(scale.ToFloats()[0], zeroPoint.GetBytes().Span[0], scale.Name, zeroPoint.Name)
            : null;
}
