using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Folding;

/// <summary>What constant folding does to one graph: the nodes that go, and the initializers that come in their place.</summary>
internal sealed class FoldedGraph
{
    /// <summary>A result more than this many times as large as the constants that it was computed from is an expansion.</summary>
    private const int Growth = 2;

    private readonly NodeProto[] _nodes;
    private readonly HashSet<TensorProto> _original;
    private readonly TensorProto[] _read;
    private readonly Dictionary<string, NodeProto> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _origins = new(StringComparer.Ordinal);

    /// <summary>Notes what a graph holds before anything in it is folded.</summary>
    public FoldedGraph(GraphView view)
    {
        View = view;
        _nodes = [.. view.Graph.Node];
        _original = new(view.Graph.Initializer, ReferenceEqualityComparer.Instance);
        _read = [.. view.Graph.Initializer.Where(IsRead)];
    }

    /// <summary>The graph.</summary>
    public GraphView View { get; }

    /// <summary>Nodes over constants that stay, with the reason.</summary>
    public Dictionary<NodeProto, string> Kept { get; } = new(ReferenceEqualityComparer.Instance);

    /// <summary>The nodes that have gone, in graph order.</summary>
    public IReadOnlyList<NodeProto> Folded { get; private set; } = [];

    /// <summary>The initializers that have come and are read.</summary>
    public IEnumerable<TensorProto> Results => View.Graph.Initializer.Where(tensor => !_original.Contains(tensor) && IsRead(tensor));

    /// <summary>The constants that folding alone has read.</summary>
    public IEnumerable<TensorProto> Vanished => _read.Where(tensor => !IsRead(tensor));

    /// <summary>Notes what has been folded.</summary>
    public void Complete()
    {
        var remaining = View.Graph.Node.ToHashSet(ReferenceEqualityComparer.Instance);
        Folded = [.. _nodes.Where(node => !remaining.Contains(node))];
        foreach (NodeProto node in Folded)
        {
            long origin = node.OpType is "Shape" or "Size" ? 0 : node.Input.Distinct(StringComparer.Ordinal).Sum(Origin);
            foreach (string output in node.Output.Where(static output => output.Length > 0))
            {
                _producers[output] = node;
                _origins[output] = origin;
            }
        }
    }

    /// <summary>Writes the decisions of a pass.</summary>
    public void Log(string pass, DecisionLog log)
    {
        foreach (NodeProto node in Folded.Where(node => !Kept.ContainsKey(node))) log.Rewritten(pass, node.DisplayName(), node.OpType);
        foreach (NodeProto node in _nodes)
            if (Kept.TryGetValue(node, out string? reason)) log.Kept(pass, node.DisplayName(), node.OpType, reason);
    }

    /// <summary>Whether a result is an expansion, such as a pad or a broadcast.</summary>
    public bool IsExpansion(TensorProto result) =>
        _origins.TryGetValue(result.Name, out long origin) && result.ByteCount / Growth > origin;

    /// <summary>The folded nodes, in graph order, that a result needs in its place; they read no expansion that nothing else
    /// reads.</summary>
    public IReadOnlyList<NodeProto> Sources(TensorProto result)
    {
        var pending = new Stack<string>([result.Name]);
        var sources = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        while (pending.TryPop(out string? value))
        {
            if (!_producers.TryGetValue(value, out NodeProto? producer) || sources.Contains(producer)) continue;
            if (value != result.Name && (View.Producer(value) is not null || IsStored(value))) continue;
            sources.Add(producer);
            foreach (string input in producer.Input) pending.Push(input);
        }

        return [.. Folded.Where(sources.Contains)];
    }

    /// <summary>Puts the nodes that an expansion was computed by in its place.</summary>
    public void Restore(TensorProto result)
    {
        if (View.Producer(result.Name) is not null) return;
        IReadOnlyList<NodeProto> sources = Sources(result);
        string[] outputs = [.. sources.SelectMany(static node => node.Output).Where(output => View.Initializer(output) is not null)];
        var readers = outputs.SelectMany(View.Consumers).ToHashSet(ReferenceEqualityComparer.Instance);
        NodeProto first = View.Graph.Node.Find(readers.Contains)!;
        foreach (string output in outputs) View.RemoveInitializer(output);
        View.InsertBefore(first, [.. sources]);
        foreach (NodeProto node in sources)
            Kept[node] = node.Output.Contains(result.Name)
                ? $"its result of {result.ByteCount} bytes would make the model bigger"
                : "what reads its result would make the model bigger";
    }

    private long Origin(string value) => _origins.TryGetValue(value, out long known) ? known : View.Constant(value)?.ByteCount ?? 0;

    private bool IsStored(string value) => View.Initializer(value) is { } tensor && (IsRead(tensor) || !IsExpansion(tensor));

    private bool IsRead(TensorProto tensor) => View.IsOutput(tensor.Name) || View.Consumers(tensor.Name).Count > 0;
}
