namespace NestQuant.Onnx.Graph;

/// <summary>The values of outer graphs that a body (of If, Loop, Scan ...) reads by name.</summary>
public static class CapturedValues
{
    /// <summary>Names that a body reads but does not define, each once.</summary>
    public static IReadOnlyCollection<string> Of(GraphProto body)
    {
        ArgumentNullException.ThrowIfNull(body);
        HashSet<string> defined = Defined(body);
        var captured = new HashSet<string>(StringComparer.Ordinal);
        foreach (NodeProto node in body.Node)
        {
            foreach (string input in node.Input)
                if (input.Length > 0 && !defined.Contains(input)) captured.Add(input);
            foreach (GraphProto inner in node.Subgraphs())
                foreach (string name in Of(inner))
                    if (!defined.Contains(name)) captured.Add(name);
        }

        foreach (ValueInfoProto output in body.Output)
            if (!defined.Contains(output.Name)) captured.Add(output.Name);
        return captured;
    }

    /// <summary>Makes a body read another outer value; where it defines that name itself, nothing changes.</summary>
    public static void Rename(GraphProto body, string value, string replacement)
    {
        ArgumentNullException.ThrowIfNull(body);
        if (Defined(body).Contains(value)) return;
        foreach (NodeProto node in body.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
                if (node.Input[i] == value) node.Input[i] = replacement;
            foreach (GraphProto inner in node.Subgraphs()) Rename(inner, value, replacement);
        }

        foreach (ValueInfoProto output in body.Output)
            if (output.Name == value) output.Name = replacement;
    }

    private static HashSet<string> Defined(GraphProto body)
    {
        var defined = new HashSet<string>(StringComparer.Ordinal);
        foreach (ValueInfoProto input in body.Input) defined.Add(input.Name);
        foreach (TensorProto initializer in body.Initializer) defined.Add(initializer.Name);
        foreach (SparseTensorProto initializer in body.SparseInitializer) defined.Add(initializer.Values?.Name ?? "");
        foreach (NodeProto node in body.Node) defined.UnionWith(node.Output);
        return defined;
    }
}
