using System.Globalization;

namespace NestQuant.Onnx.Graph;

/// <summary>Creates names that no value and no node of a model has, in any of its graphs.</summary>
public sealed class UniqueNames
{
    // An empty name means a value that is left out, and is never returned.
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal) { "" };

    /// <summary>The last number that was appended to a name; all smaller ones are taken too.</summary>
    private readonly Dictionary<string, int> _last = new(StringComparer.Ordinal);

    /// <summary>Collects the names of a model.</summary>
    public UniqueNames(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Graph is not null) Take(model.Graph);
        foreach (FunctionProto function in model.Functions)
        {
            _taken.UnionWith(function.Input);
            Take(function.ValueInfo);
            Take(function.Node);
        }
    }

    /// <summary>Returns <paramref name="wanted"/>, with <c>_1</c>, <c>_2</c> ... appended where it is taken, and takes it.</summary>
    public string Next(string wanted)
    {
        string name = wanted;
        int last = _last.GetValueOrDefault(wanted);
        while (!_taken.Add(name)) name = string.Create(CultureInfo.InvariantCulture, $"{wanted}_{++last}");
        if (last > 0) _last[wanted] = last;
        return name;
    }

    private void Take(GraphProto graph)
    {
        Take(graph.Input);
        Take(graph.Output);
        // Value infos of removed values count too: a new value of the same name would get their type.
        Take(graph.ValueInfo);
        foreach (TensorProto initializer in graph.Initializer) _taken.Add(initializer.Name);
        foreach (SparseTensorProto initializer in graph.SparseInitializer) _taken.Add(initializer.Values?.Name ?? "");
        Take(graph.Node);
    }

    private void Take(IEnumerable<ValueInfoProto> values)
    {
        foreach (ValueInfoProto value in values) _taken.Add(value.Name);
    }

    private void Take(IEnumerable<NodeProto> nodes)
    {
        foreach (NodeProto node in nodes)
        {
            _taken.Add(node.Name);
            _taken.UnionWith(node.Input);
            _taken.UnionWith(node.Output);
            foreach (GraphProto subgraph in node.Subgraphs()) Take(subgraph);
        }
    }
}
