using NestQuant.Onnx.Graph;

namespace NestQuant.Onnx.Validation;

/// <summary>The names that nodes may read at one point of a graph: those defined so far, in it and in its outer graphs.</summary>
/// <param name="owner">Name of the graph in messages.</param>
/// <param name="nodes">All nodes of the graph.</param>
/// <param name="outer">The scope of the graph with the node that holds this one; null for a main graph and a function.</param>
internal sealed class ValueScope(string owner, List<NodeProto> nodes, ValueScope? outer)
{
    private readonly HashSet<string> _defined = new(StringComparer.Ordinal);
    private readonly HashSet<string> _initializers = new(StringComparer.Ordinal);

    /// <summary>Depth of nesting, 1 for an outermost graph.</summary>
    public int Depth { get; } = outer is null ? 1 : outer.Depth + 1;

    /// <summary>Defines an input.</summary>
    public void AddInput(string name)
    {
        if (!_defined.Add(name)) throw new ModelException($"{owner} has two inputs '{name}'");
    }

    /// <summary>Defines an initializer, which may have the name of an input.</summary>
    public void AddInitializer(string name)
    {
        if (!_initializers.Add(name))
            throw new ModelException($"{owner} has two initializers '{name}': which one counts is undefined, give each its own name");
        _defined.Add(name);
    }

    /// <summary>Defines a result of a node.</summary>
    public void AddOutput(NodeProto node, string name)
    {
        // In ONNX, inputs and initializers of a subgraph may hide outer values, but results may not.
        if (name.Length == 0 || (outer?.Has(name) != true && _defined.Add(name))) return;
        NodeProto? first = nodes.Find(other => other.Output.Contains(name));
        string twice = first is null || first == node ? "" : $", by '{first.DisplayName()}' and '{node.DisplayName()}'";
        throw new ModelException($"value '{name}' of {owner} is produced twice{twice}: give each output its own name");
    }

    /// <summary>Requires that a node's input is defined before it.</summary>
    public void RequireInput(NodeProto node, string name)
    {
        if (name.Length == 0 || Has(name)) return;
        throw new ModelException(Producer(name) is { } producer
            ? $"node '{node.DisplayName()}' reads '{name}' before node '{producer.DisplayName()}' produces it: "
                + "ONNX needs nodes in topological order"
            : $"node '{node.DisplayName()}' reads '{name}', which nothing in {owner} defines");
    }

    /// <summary>Requires that an output of the graph is defined.</summary>
    public void RequireOutput(string name)
    {
        if (!Has(name)) throw new ModelException($"output '{name}' of {owner} is defined by nothing");
    }

    private bool Has(string name) => _defined.Contains(name) || outer?.Has(name) == true;

    private NodeProto? Producer(string name) => nodes.Find(node => node.Output.Contains(name)) ?? outer?.Producer(name);
}
