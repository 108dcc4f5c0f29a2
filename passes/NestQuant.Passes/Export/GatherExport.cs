using NestQuant.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>
/// Rows of a table, which stays in integers: only rows that are asked for become floats. A DequantizeLinear has scales along an axis of its
/// input, and rows of any indices have none.
/// <code>
/// y = com.nestquant.NestedGather (i, W_high, W_low, W_scale, , nest_bits)
/// y = Mul (Cast (Gather (W_int8, i)), Unsqueeze (Gather (W_scale, i)))
/// </code>
/// </summary>
internal static class GatherExport
{
    /// <summary>NestedGather.</summary>
    public static void Gather(NodeProto node, ExportedGraph graph)
    {
        NestedOperator nested = NestedOperator.Read(node, graph.View);
        ExportedWeights.Stored table = graph.Context.Weights.Integers(nested, graph, turn: false);
        string indices = graph.AsCompiled(node.InputAt(InputNames.Indices)), result = node.Output[0];
        graph.Log(node, table.Note);
        if (table.Scale.Length == 0)
        {
            graph.Add("Gather", node.Name, [table.Name, indices], graph.Define(result));
            return;
        }

        string axes = graph.Context.Add(
            result + "_row_axes", name => TensorProto.FromInt64s(name, [nested.Shape.Count - 1], [.. RowAxes(nested.Shape.Count)]));
        string values = Cast(Add("Gather", "_integers", table.Name, indices), "_values");
        if (table.HasZeroPoint) values = Add("Sub", "_centered", values, Cast(PerRow(table.ZeroPoint, "_zero_point"), "_offset"));
        graph.Add("Mul", node.Name, [values, PerRow(table.Scale, "_scale")], graph.Define(result));

        string PerRow(string factors, string suffix) => Add("Unsqueeze", suffix, Add("Gather", suffix + "s", factors, indices), axes);

        string Cast(string integers, string suffix)
        {
            string output = graph.Step(result, suffix);
            graph.Add("Cast", output, [integers], output, AttributeProto.Int("to", (long)TensorDataType.Float));
            return output;
        }

        string Add(string opType, string suffix, params string[] inputs)
        {
            string output = graph.Step(result, suffix);
            graph.Add(opType, output, inputs, output);
            return output;
        }
    }

    private static IEnumerable<long> RowAxes(int rank) => Enumerable.Range(1 - rank, rank - 1).Select(static axis => (long)axis);
}
