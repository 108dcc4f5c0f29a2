namespace NestQuant.Onnx.Graph;

/// <summary>
/// Walks over the nested graphs of a model: the main graph, the subgraphs of If, Loop, Scan and the like, and local functions.
/// </summary>
public static class GraphTraversal
{
    /// <summary>The subgraphs of a node, which its attributes hold, in attribute order.</summary>
    public static IEnumerable<GraphProto> Subgraphs(this NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        foreach (AttributeProto attribute in node.Attribute)
        {
            if (attribute.G is not null) yield return attribute.G;
            foreach (GraphProto graph in attribute.Graphs) yield return graph;
        }
    }

    /// <summary>The main graph of a model.</summary>
    /// <exception cref="ModelException">The model has none.</exception>
    public static GraphProto MainGraph(this ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.Graph ?? throw new ModelException("the model has no graph: it is not a complete ONNX model");
    }

    /// <summary>Every node of a model, outer nodes before the nodes of their subgraphs, the main graph before local functions.</summary>
    public static IEnumerable<NodeProto> AllNodes(this ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        IEnumerable<NodeProto> main = model.Graph is null ? [] : AllNodes(model.Graph.Node);
        return main.Concat(model.Functions.SelectMany(static function => AllNodes(function.Node)));
    }

    /// <summary>The nodes of a list and of all their subgraphs.</summary>
    public static IEnumerable<NodeProto> AllNodes(IEnumerable<NodeProto> nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        foreach (NodeProto node in nodes)
        {
            yield return node;
            foreach (NodeProto inner in node.Subgraphs().SelectMany(static graph => AllNodes(graph.Node))) yield return inner;
        }
    }

    /// <summary>The name of a node for messages: its own name, or that of its first output where it has none.</summary>
    public static string DisplayName(this NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Name.Length > 0 ? node.Name : node.Output.Find(static output => output.Length > 0) ?? node.OpType;
    }

    /// <summary>Whether the node is operator <paramref name="opType"/> of ONNX's default domain.</summary>
    public static bool Is(this NodeProto node, string opType)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.OpType == opType && node.IsDefaultDomain();
    }

    /// <summary>Whether the node's operator belongs to ONNX's default domain, which can be written in two ways.</summary>
    public static bool IsDefaultDomain(this NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Domain is "" or "ai.onnx";
    }

    /// <summary>Input number <paramref name="index"/>, or an empty string where it is left out.</summary>
    public static string InputAt(this NodeProto node, int index)
    {
        ArgumentNullException.ThrowIfNull(node);
        return index < node.Input.Count ? node.Input[index] : "";
    }

    /// <summary>Version of the default operator set that the model imports; 0 when it imports none.</summary>
    public static long OpsetVersion(this ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.OpsetImport.DefaultVersion() ?? 0;
    }

    /// <summary>Version of the default operator set among a model's or a function's imports; null when it is not imported.</summary>
    internal static long? DefaultVersion(this List<OperatorSetIdProto> imports) =>
        imports.Find(static opset => opset.Domain is "" or "ai.onnx")?.Version;
}
