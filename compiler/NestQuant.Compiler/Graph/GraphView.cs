using System.Globalization;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Graph;

/// <summary>
/// Use-def view of one graph, kept up to date by its own edits: who produces a value, who consumes it, which values are constant.
/// A node that holds a body counts as a consumer of everything that the body captures.
/// </summary>
/// <remarks>
/// ONNX Runtime refuses a graph with two nodes of one name: a node that enters by an edit and whose name another node of the graph has is given
/// the next free one. Nodes without names are left without.
/// <para>Edits that bypass the view make it stale; make a new one then. Building it takes time linear in the graph.</para>
/// </remarks>
public sealed class GraphView
{
    private readonly Dictionary<string, NodeProto> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<NodeProto>> _consumers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorProto> _initializers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _sparse = new(StringComparer.Ordinal);
    private readonly HashSet<string> _inputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _outputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _nodeNames = new(StringComparer.Ordinal);

    private GraphView(GraphProto graph, GraphView? outer)
    {
        Graph = graph;
        Outer = outer;
        foreach (ValueInfoProto input in graph.Input) _inputs.Add(input.Name);
        foreach (ValueInfoProto output in graph.Output) _outputs.Add(output.Name);
        foreach (TensorProto initializer in graph.Initializer) _initializers[initializer.Name] = initializer;
        foreach (SparseTensorProto initializer in graph.SparseInitializer) _sparse.Add(initializer.Values?.Name ?? "");
        foreach (NodeProto node in graph.Node)
        {
            _nodeNames.Add(node.Name);
            Index(node);
        }
    }

    /// <summary>The graph.</summary>
    public GraphProto Graph { get; }

    /// <summary>View of the graph whose node holds this one as a body; null for a main graph.</summary>
    public GraphView? Outer { get; }

    /// <summary>Views a main graph.</summary>
    public static GraphView Of(GraphProto graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new GraphView(graph, outer: null);
    }

    /// <summary>Views a body of one of this graph's nodes; names that it does not define are looked up here.</summary>
    public GraphView Inner(GraphProto body)
    {
        ArgumentNullException.ThrowIfNull(body);
        return new GraphView(body, this);
    }

    /// <summary>This graph's view and, depth first, those of all bodies in it.</summary>
    public IEnumerable<GraphView> WithInner()
    {
        yield return this;
        foreach (NodeProto node in Graph.Node.ToArray())
            foreach (GraphProto body in node.Subgraphs())
                foreach (GraphView view in Inner(body).WithInner()) yield return view;
    }

    /// <summary>The node of this graph that produces a value, or null.</summary>
    public NodeProto? Producer(string value) => _producers.GetValueOrDefault(value);

    /// <summary>The nodes of this graph that read a value, once per reading input or capturing body, in graph order.</summary>
    public IReadOnlyList<NodeProto> Consumers(string value) => _consumers.TryGetValue(value, out List<NodeProto>? nodes) ? nodes : [];

    /// <summary>Whether the value is an output of this graph.</summary>
    public bool IsOutput(string value) => _outputs.Contains(value);

    /// <summary>Whether the value is an input of this graph.</summary>
    public bool IsInput(string value) => _inputs.Contains(value);

    /// <summary>Whether this graph itself defines the value.</summary>
    public bool Defines(string value) =>
        _inputs.Contains(value) || _initializers.ContainsKey(value) || _sparse.Contains(value) || _producers.ContainsKey(value);

    /// <summary>The initializer of that name in this graph, overridable or not, or null.</summary>
    public TensorProto? Initializer(string name) => _initializers.GetValueOrDefault(name);

    /// <summary>
    /// The dense tensor that a name always stands for, here or in an outer graph; null when it is not constant, is sparse, or can be
    /// overridden by an input.
    /// </summary>
    public TensorProto? Constant(string name)
    {
        if (_inputs.Contains(name) || _sparse.Contains(name) || _producers.ContainsKey(name)) return null;
        return _initializers.TryGetValue(name, out TensorProto? tensor) ? tensor : Outer?.Constant(name);
    }

    /// <summary>The view of the graph that defines a name, this one or an outer one; null when none does.</summary>
    public GraphView? Owner(string name) => Defines(name) ? this : Outer?.Owner(name);

    /// <summary>Adds an initializer.</summary>
    public void AddInitializer(TensorProto tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        Graph.Initializer.Add(tensor);
        _initializers.Add(tensor.Name, tensor);
    }

    /// <summary>Puts another tensor in the place of the initializer of the same name.</summary>
    public void ReplaceInitializer(TensorProto tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        int position = Graph.Initializer.IndexOf(_initializers[tensor.Name]);
        Graph.Initializer[position] = tensor;
        _initializers[tensor.Name] = tensor;
    }

    /// <summary>Adds an input of the graph.</summary>
    public void AddInput(ValueInfoProto input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Graph.Input.Add(input);
        _inputs.Add(input.Name);
    }

    /// <summary>Puts a node behind all others.</summary>
    public void Append(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        Enter(node, Graph.Node.Count);
    }

    /// <summary>Puts nodes in front of an existing one, in the order given.</summary>
    public void InsertBefore(NodeProto anchor, params ReadOnlySpan<NodeProto> nodes)
    {
        int position = PositionOf(anchor);
        foreach (NodeProto node in nodes) Enter(node, position++);
    }

    /// <summary>Puts nodes in the place of an existing one.</summary>
    public void Replace(NodeProto node, params ReadOnlySpan<NodeProto> replacement)
    {
        int position = PositionOf(node);
        Leave(node);
        Graph.Node.RemoveAt(position);
        foreach (NodeProto added in replacement) Enter(added, position++);
    }

    /// <summary>Removes a node; what reads its outputs must have been given other values before.</summary>
    public void Remove(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        Leave(node);
        Graph.Node.RemoveAll(other => ReferenceEquals(other, node));
    }

    /// <summary>Removes nodes; what reads their outputs must have been given other values before.</summary>
    public void Remove(IReadOnlySet<NodeProto> nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        if (nodes.Count == 0) return;
        foreach (NodeProto node in nodes) Leave(node);
        Graph.Node.RemoveAll(nodes.Contains);
    }

    /// <summary>Makes one node read another value at one of its inputs.</summary>
    public void SetInput(NodeProto node, int index, string value)
    {
        ArgumentNullException.ThrowIfNull(node);
        Unindex(node);
        node.Input[index] = value;
        Index(node);
    }

    /// <summary>Makes every reader of a value, also inside bodies, read another one. Graph outputs keep their names.</summary>
    public void ReplaceUses(string value, string replacement)
    {
        foreach (NodeProto node in Consumers(value).Distinct().ToArray())
        {
            Unindex(node);
            Rename(node, value, replacement);
            Index(node);
        }
    }

    /// <summary>Gives a value that a node of this graph produces another name, at its producer and at all readers.</summary>
    public void RenameProduced(string value, string name)
    {
        NodeProto producer = _producers[value];
        ReplaceUses(value, name);
        Unindex(producer);
        int output = producer.Output.IndexOf(value);
        producer.Output[output] = name;
        Index(producer);
        Graph.ValueInfo.RemoveAll(info => info.Name == value);
    }

    private int PositionOf(NodeProto node)
    {
        int position = Graph.Node.IndexOf(node);
        return position >= 0 ? position : throw new InvalidOperationException($"node '{node.DisplayName()}' is not in graph '{Graph.Name}'");
    }

    private void Enter(NodeProto node, int position)
    {
        string wanted = node.Name;
        for (int i = 1; node.Name.Length > 0 && !_nodeNames.Add(node.Name); i++) node.Name = string.Create(CultureInfo.InvariantCulture, $"{wanted}_{i}");
        Graph.Node.Insert(position, node);
        Index(node);
    }

    private void Leave(NodeProto node)
    {
        _nodeNames.Remove(node.Name);
        Unindex(node);
    }

    private void Index(NodeProto node)
    {
        foreach (string output in node.Output)
            if (output.Length > 0) _producers[output] = node;
        foreach (string value in Reads(node))
        {
            if (!_consumers.TryGetValue(value, out List<NodeProto>? nodes)) _consumers[value] = nodes = [];
            nodes.Add(node);
        }
    }

    private void Unindex(NodeProto node)
    {
        foreach (string output in node.Output)
            if (output.Length > 0 && ReferenceEquals(_producers.GetValueOrDefault(output), node)) _producers.Remove(output);
        foreach (string value in Reads(node))
            if (_consumers.TryGetValue(value, out List<NodeProto>? nodes)) nodes.Remove(node);
    }

    private static IEnumerable<string> Reads(NodeProto node) =>
        node.Input.Where(static input => input.Length > 0).Concat(node.Subgraphs().SelectMany(CapturedValues.Of));

    private static void Rename(NodeProto node, string value, string replacement)
    {
        for (int i = 0; i < node.Input.Count; i++)
            if (node.Input[i] == value) node.Input[i] = replacement;
        foreach (GraphProto body in node.Subgraphs()) CapturedValues.Rename(body, value, replacement);
    }
}
