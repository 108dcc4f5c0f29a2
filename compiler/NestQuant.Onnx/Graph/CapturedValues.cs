namespace NestQuant.Onnx.Graph;

/// <summary>The values of outer graphs that a subgraph (of If, Loop, Scan ...) reads by name.</summary>
public static class CapturedValues
{
    /// <summary>Names that a subgraph reads but does not define, each once.</summary>
    public static IReadOnlyCollection<string> Of(GraphProto subgraph)
    {
        ArgumentNullException.ThrowIfNull(subgraph);
        HashSet<string> defined = Defined(subgraph);
        var captured = new HashSet<string>(StringComparer.Ordinal);
        foreach (NodeProto node in subgraph.Node)
        {
            foreach (string input in node.Input)
                if (input.Length > 0 && !defined.Contains(input)) captured.Add(input);
            foreach (GraphProto inner in node.Subgraphs())
                foreach (string name in Of(inner))
                    if (!defined.Contains(name)) captured.Add(name);
        }

        foreach (ValueInfoProto output in subgraph.Output)
            if (!defined.Contains(output.Name)) captured.Add(output.Name);
        return captured;
    }

    /// <summary>Makes a subgraph read another outer value; where it defines that name itself, nothing changes.</summary>
    public static void Rename(GraphProto subgraph, string value, string replacement)
    {
        ArgumentNullException.ThrowIfNull(subgraph);
        if (Defined(subgraph).Contains(value)) return;
        foreach (NodeProto node in subgraph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
                if (node.Input[i] == value) node.Input[i] = replacement;
            foreach (GraphProto inner in node.Subgraphs()) Rename(inner, value, replacement);
        }

        foreach (ValueInfoProto output in subgraph.Output)
            if (output.Name == value) output.Name = replacement;
    }

    private static HashSet<string> Defined(GraphProto subgraph)
    {
        var defined = new HashSet<string>(StringComparer.Ordinal);
        foreach (ValueInfoProto input in subgraph.Input) defined.Add(input.Name);
        foreach (TensorProto initializer in subgraph.Initializer) defined.Add(initializer.Name);
        foreach (SparseTensorProto initializer in subgraph.SparseInitializer) defined.Add(initializer.Values?.Name ?? "");
        foreach (NodeProto node in subgraph.Node) defined.UnionWith(node.Output);
        return defined;
    }
}
