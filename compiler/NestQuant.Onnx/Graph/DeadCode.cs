namespace NestQuant.Onnx.Graph;

/// <summary>Removes nodes and initializers that no output depends on.</summary>
public static class DeadCode
{
    /// <summary>
    /// Removes, in a graph and in all its subgraphs, nodes whose outputs are all unused, unused initializers, and the value infos of
    /// removed values. Graph inputs and outputs stay, and so does an initializer that is the default of an input.
    /// </summary>
    /// <returns>Whether anything was removed.</returns>
    public static bool Remove(GraphProto graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        bool changed = false;
        foreach (NodeProto node in graph.Node)
            foreach (GraphProto subgraph in node.Subgraphs()) changed |= Remove(subgraph);

        var live = graph.Output.Select(static output => output.Name).ToHashSet(StringComparer.Ordinal);
        var liveNodes = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        for (int i = graph.Node.Count - 1; i >= 0; i--)
        {
            NodeProto node = graph.Node[i];
            if (!node.Output.Exists(live.Contains)) continue;
            liveNodes.Add(node);
            live.UnionWith(node.Input.Where(static input => input.Length > 0));
            foreach (GraphProto subgraph in node.Subgraphs()) live.UnionWith(CapturedValues.Of(subgraph));
        }

        changed |= graph.Node.RemoveAll(node => !liveNodes.Contains(node)) > 0;
        live.UnionWith(graph.Input.Select(static input => input.Name));
        changed |= graph.Initializer.RemoveAll(tensor => !live.Contains(tensor.Name)) > 0;
        foreach (NodeProto node in graph.Node) live.UnionWith(node.Output);
        changed |= graph.ValueInfo.RemoveAll(info => !live.Contains(info.Name)) > 0;
        changed |= graph.QuantizationAnnotation.RemoveAll(annotation => !live.Contains(annotation.TensorName ?? "")) > 0;
        return changed;
    }
}
