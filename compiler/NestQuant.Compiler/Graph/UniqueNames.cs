using System.Globalization;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Graph;

/// <summary>Gives out names that no value and no node of a model has, in any of its graphs.</summary>
public sealed class UniqueNames
{
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    /// <summary>Collects the names of a model.</summary>
    public UniqueNames(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Graph is not null) Take(model.Graph);
        foreach (FunctionProto function in model.Functions)
        {
            _taken.UnionWith(function.Input);
            Take(function.Node);
        }
    }

    /// <summary>Returns <paramref name="wanted"/>, with <c>_1</c>, <c>_2</c> ... appended where it is taken, and takes it.</summary>
    public string Next(string wanted)
    {
        string name = wanted;
        for (int i = 1; !_taken.Add(name); i++) name = string.Create(CultureInfo.InvariantCulture, $"{wanted}_{i}");
        return name;
    }

    private void Take(GraphProto graph)
    {
        foreach (ValueInfoProto input in graph.Input) _taken.Add(input.Name);
        foreach (ValueInfoProto output in graph.Output) _taken.Add(output.Name);
        foreach (TensorProto initializer in graph.Initializer) _taken.Add(initializer.Name);
        foreach (SparseTensorProto initializer in graph.SparseInitializer) _taken.Add(initializer.Values?.Name ?? "");
        Take(graph.Node);
    }

    private void Take(IEnumerable<NodeProto> nodes)
    {
        foreach (NodeProto node in nodes)
        {
            _taken.Add(node.Name);
            _taken.UnionWith(node.Input);
            _taken.UnionWith(node.Output);
            foreach (GraphProto body in node.Subgraphs()) Take(body);
        }
    }
}
