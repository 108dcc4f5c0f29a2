using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps;

namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>The parts of a model that mutations choose from, those of bodies and functions included.</summary>
internal sealed class ModelParts
{
    private readonly Func<ModelProto> _donor;

    private ModelParts(ModelProto model, SeededRandom random, Func<ModelProto> donor)
    {
        (Model, Random, _donor) = (model, random, donor);
        foreach (FunctionProto function in model.Functions) Add(function.Node);
        if (model.Graph is { } graph) Add(graph);
    }

    public ModelProto Model { get; }

    public SeededRandom Random { get; }

    public List<GraphProto> Graphs { get; } = [];

    /// <summary>The nodes of every graph and function.</summary>
    public List<List<NodeProto>> NodeLists { get; } = [];

    public List<NodeProto> Nodes { get; private set; } = [];

    public List<TensorProto> Tensors { get; private set; } = [];

    /// <summary>Names of values anywhere in the model.</summary>
    public List<string> Values { get; } = [];

    /// <summary>Everything in a model.</summary>
    /// <param name="model">The model to change.</param>
    /// <param name="random">Chooses.</param>
    /// <param name="donor">Loads a good model to take parts from, a new one each time.</param>
    public static ModelParts Of(ModelProto model, SeededRandom random, Func<ModelProto> donor) => new(model, random, donor);

    /// <summary>Only the operators of NestQuant and the initializers that they read.</summary>
    public static ModelParts OfOperators(ModelProto model, SeededRandom random, Func<ModelProto> donor)
    {
        var parts = new ModelParts(model, random, donor);
        parts.Nodes = parts.Nodes.FindAll(static node => node.Domain == NestQuantOps.Domain);
        var read = parts.Nodes.SelectMany(static node => node.Input).ToHashSet(StringComparer.Ordinal);
        parts.Tensors = parts.Tensors.FindAll(tensor => read.Contains(tensor.Name));
        return parts;
    }

    /// <summary>A good graph that belongs to no other model.</summary>
    public GraphProto DonatedGraph() => _donor().MainGraph();

    /// <summary>A node of any graph or function, or null when there is none.</summary>
    public NodeProto? Node() => Nodes.Count == 0 ? null : Random.Pick(Nodes);

    public TensorProto? Tensor() => Tensors.Count == 0 ? null : Random.Pick(Tensors);

    public GraphProto? Graph() => Graphs.Count == 0 ? null : Random.Pick(Graphs);

    public string Value() => Values.Count == 0 || Random.OneIn(8) ? Extremes.Text(Random) : Random.Pick(Values);

    private void Add(GraphProto graph)
    {
        Graphs.Add(graph);
        Tensors.AddRange(graph.Initializer);
        foreach (SparseTensorProto sparse in graph.SparseInitializer) Add(sparse);
        Values.AddRange(graph.Input.Select(static input => input.Name));
        Values.AddRange(graph.Initializer.Select(static tensor => tensor.Name));
        Add(graph.Node);
    }

    private void Add(List<NodeProto> nodes)
    {
        NodeLists.Add(nodes);
        Nodes.AddRange(nodes);
        foreach (NodeProto node in nodes)
        {
            Values.AddRange(node.Output);
            foreach (AttributeProto attribute in node.Attribute)
            {
                if (attribute.T is { } tensor) Tensors.Add(tensor);
                if (attribute.SparseTensor is { } sparse) Add(sparse);
            }

            foreach (GraphProto body in node.Subgraphs()) Add(body);
        }
    }

    private void Add(SparseTensorProto sparse)
    {
        if (sparse.Values is { } values) Tensors.Add(values);
        if (sparse.Indices is { } indices) Tensors.Add(indices);
    }
}
