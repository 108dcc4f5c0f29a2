using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Graph;

/// <summary>The order that ONNX requires: every node after the producers of what it and its bodies read.</summary>
public static class TopologicalOrder
{
    /// <summary>Checks a graph and its bodies.</summary>
    /// <exception cref="ModelException">A node reads a value before it is produced; the message names both.</exception>
    public static void Verify(GraphProto graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var producedLater = new Dictionary<string, NodeProto>(StringComparer.Ordinal);
        foreach (NodeProto node in graph.Node)
            foreach (string output in node.Output)
                if (output.Length > 0 && !producedLater.TryAdd(output, node))
                    throw new ModelException($"value '{output}' of graph '{graph.Name}' is produced twice, by '{producedLater[output].DisplayName()}' and '{node.DisplayName()}': give each output its own name");

        foreach (NodeProto node in graph.Node)
        {
            IEnumerable<string> reads = node.Input.Concat(node.Subgraphs().SelectMany(CapturedValues.Of));
            foreach (string value in reads)
                if (producedLater.TryGetValue(value, out NodeProto? producer))
                    throw new ModelException($"node '{node.DisplayName()}' reads '{value}' before node '{producer.DisplayName()}' produces it: ONNX needs nodes in topological order");
            foreach (string output in node.Output) producedLater.Remove(output);
            foreach (GraphProto body in node.Subgraphs()) Verify(body);
        }
    }
}
