using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Export;

/// <summary>
/// Scales and zero points of uint8 values as the operators that read them name them, behind operators that only move elements too.
/// </summary>
internal sealed class ReaderParameters
{
    private readonly Dictionary<string, ExportedParameters> _parameters = new(StringComparer.Ordinal);

    /// <summary>Looks at all nodes of a graph, the last one first.</summary>
    public ReaderParameters(GraphView view)
    {
        foreach (NodeProto node in Enumerable.Reverse(view.Graph.Node))
        {
            foreach (int data in QuantizedInputs(node))
                if (node.InputAt(data).Length > 0)
                    _parameters[node.Input[data]] = new ExportedParameters(node.InputAt(data + 1), node.InputAt(data + 2));
            if (ExportRules.MovesBytes(node) && node.Output.Select(Of).FirstOrDefault(static known => known is not null) is { } parameters)
                foreach (string input in node.Is("Concat") ? node.Input : [.. node.Input.Take(1)]) _parameters.TryAdd(input, parameters);
        }
    }

    /// <summary>The parameters that readers name for a compiled value, by their names in the compiled model.</summary>
    public ExportedParameters? Of(string value) => _parameters.TryGetValue(value, out ExportedParameters known) ? known : null;

    /// <summary>Positions of uint8 inputs that scale and zero point follow.</summary>
    private static IEnumerable<int> QuantizedInputs(NodeProto node)
    {
        if (node.Schema() is { } schema) return schema.HasQuantizedInput ? [schema[InputNames.X].Position] : [];
        if (node.Is("DequantizeLinear")) return node.Input.Count > 2 ? [0] : [];
        if (node.Domain != MicrosoftOperators.Domain) return [];
        return node.OpType switch
        {
            MicrosoftOperators.QLinearAdd or MicrosoftOperators.QLinearMul => [0, 3],
            MicrosoftOperators.QLinearAveragePool or MicrosoftOperators.QLinearGlobalAveragePool => [0],
            MicrosoftOperators.QLinearConcat =>
                Enumerable.Range(0, node.Input.Count / 3).Select(static i => 2 + (3 * i)).Where(i => i + 2 < node.Input.Count),
            _ => [],
        };
    }
}
