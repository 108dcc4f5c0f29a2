using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Calibration;

/// <summary>
/// The values of a main graph that nodes compute from the content of an input, not from its shape alone.
/// </summary>
internal static class DataValues
{
    /// <summary>Names of the values, in graph order, the inputs themselves left out.</summary>
    public static IReadOnlyList<string> Of(GraphProto graph)
    {
        GraphView view = GraphView.Of(graph);
        var values = new List<string>();
        var known = graph.Input.Select(static input => input.Name)
            .Where(name => view.Initializer(name) is null)
            .ToHashSet(StringComparer.Ordinal);
        foreach (NodeProto node in graph.Node)
        {
            if (node.Is("Shape") || node.Is("Size")) continue;
            if (!node.Input.Concat(node.Subgraphs().SelectMany(CapturedValues.Of)).Any(known.Contains)) continue;
            foreach (string output in node.Output.Where(static output => output.Length > 0))
                if (known.Add(output)) values.Add(output);
        }

        return values;
    }
}
