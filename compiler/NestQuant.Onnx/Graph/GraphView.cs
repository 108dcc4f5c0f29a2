using System.Globalization;

namespace NestQuant.Onnx.Graph;

/// <summary>
/// Use-def view of one graph, kept up to date by its own edits: who produces a value, who consumes it, which values are constant.
/// A node that holds a subgraph counts as a consumer of everything that the subgraph captures.
/// </summary>
/// <remarks>
/// ONNX Runtime refuses a graph with two nodes of the same name: a node that is added under a name in use gets the next free one. Nodes
/// without names stay without.
/// <para>Every subgraph has one view, which belongs to the view of its main graph, so that an edit through any of them is seen by all.
/// Edits that bypass the views make them stale; create new ones then. Building a view takes time linear in the graph; adding, replacing and
/// removing nodes and initializers search no list.</para>
/// </remarks>
public sealed class GraphView
{
    private readonly Dictionary<string, NodeProto> _producers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Uses> _uses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorProto> _initializers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _sparse = new(StringComparer.Ordinal);
    private readonly HashSet<string> _inputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _outputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _nodeNames = new(StringComparer.Ordinal);
    private readonly ItemPositions<NodeProto> _nodePositions;
    private readonly ItemPositions<TensorProto> _initializerPositions;
    private readonly NodeProto? _holder;
    private readonly Dictionary<GraphProto, GraphView> _inner = new(ReferenceEqualityComparer.Instance);

    /// <summary>The values that the subgraphs of a node captured when they were last examined.</summary>
    private readonly Dictionary<NodeProto, string[]> _captured = new(ReferenceEqualityComparer.Instance);

    /// <summary>Nodes whose subgraphs have been edited since.</summary>
    private readonly HashSet<NodeProto> _edited = new(ReferenceEqualityComparer.Instance);

    private GraphView(GraphProto graph, GraphView? outer, NodeProto? holder)
    {
        Graph = graph;
        Outer = outer;
        _holder = holder;
        _nodePositions = new ItemPositions<NodeProto>(graph.Node);
        _initializerPositions = new ItemPositions<TensorProto>(graph.Initializer);
        foreach (ValueInfoProto input in graph.Input) _inputs.Add(input.Name);
        foreach (ValueInfoProto output in graph.Output) _outputs.Add(output.Name);
        foreach (TensorProto initializer in graph.Initializer) _initializers[initializer.Name] = initializer;
        foreach (SparseTensorProto initializer in graph.SparseInitializer) _sparse.Add(initializer.Values?.Name ?? "");
        foreach (NodeProto node in graph.Node)
        {
            _nodeNames.Add(node.Name);
            Index(node, isLast: true);
        }
    }

    /// <summary>The graph.</summary>
    public GraphProto Graph { get; }

    /// <summary>View of the graph with the node that holds this subgraph; null for a main graph.</summary>
    public GraphView? Outer { get; }

    /// <summary>Views a main graph.</summary>
    public static GraphView Of(GraphProto graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new GraphView(graph, outer: null, holder: null);
    }

    /// <summary>The view of a subgraph of one of this graph's nodes; names that it does not define are looked up here.</summary>
    public GraphView Inner(GraphProto subgraph)
    {
        ArgumentNullException.ThrowIfNull(subgraph);
        if (_inner.TryGetValue(subgraph, out GraphView? known)) return known;
        NodeProto? holder = _captured.Keys.FirstOrDefault(node => node.Subgraphs().Contains(subgraph));
        return _inner[subgraph] = new GraphView(subgraph, this, holder);
    }

    /// <summary>This graph's view and, depth first, those of all subgraphs in it.</summary>
    public IEnumerable<GraphView> WithInner()
    {
        yield return this;
        foreach (NodeProto node in Graph.Node.ToArray())
            foreach (GraphProto subgraph in node.Subgraphs())
                foreach (GraphView view in Inner(subgraph).WithInner()) yield return view;
    }

    /// <summary>The node of this graph that produces a value, or null.</summary>
    public NodeProto? Producer(string value) => _producers.GetValueOrDefault(value);

    /// <summary>The node that alone reads a value, by one input; null where there is none, or the value is a graph output.</summary>
    public NodeProto? SoleConsumer(string value) => !IsOutput(value) && Consumers(value) is [var consumer] ? consumer : null;

    /// <summary>The nodes of this graph that read a value, once per reading input or capturing subgraph, in graph order.</summary>
    public IReadOnlyList<NodeProto> Consumers(string value)
    {
        FollowInnerEdits();
        return _uses.TryGetValue(value, out Uses? uses) ? uses.InOrder(_nodePositions) : [];
    }

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
        _initializers.Add(tensor.Name, tensor);
        _initializerPositions.Insert(Graph.Initializer.Count, tensor);
        ReportEdit();
    }

    /// <summary>Replaces the initializer of the same name.</summary>
    public void ReplaceInitializer(TensorProto tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        _initializerPositions.Replace(_initializerPositions.Of(_initializers[tensor.Name]), tensor);
        _initializers[tensor.Name] = tensor;
    }

    /// <summary>Removes an initializer; what reads it must find the value elsewhere.</summary>
    internal void RemoveInitializer(string name)
    {
        if (_initializers.Remove(name, out TensorProto? tensor)) _initializerPositions.RemoveAt(_initializerPositions.Of(tensor));
        ReportEdit();
    }

    /// <summary>Adds an input of the graph.</summary>
    public void AddInput(ValueInfoProto input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Graph.Input.Add(input);
        _inputs.Add(input.Name);
        ReportEdit();
    }

    /// <summary>Appends a node.</summary>
    public void Append(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        Enter(node, Graph.Node.Count);
        ReportEdit();
    }

    /// <summary>Inserts nodes before an existing one, in the order given.</summary>
    public void InsertBefore(NodeProto anchor, params ReadOnlySpan<NodeProto> nodes)
    {
        int position = PositionOf(anchor);
        foreach (NodeProto node in nodes) Enter(node, position++);
        ReportEdit();
    }

    /// <summary>Replaces a node by others.</summary>
    public void Replace(NodeProto node, params ReadOnlySpan<NodeProto> replacement)
    {
        int position = PositionOf(node);
        Leave(node);
        _nodePositions.RemoveAt(position);
        foreach (NodeProto added in replacement) Enter(added, position++);
        ReportEdit();
    }

    /// <summary>Removes a node; consumers of its outputs must have been given other values before.</summary>
    public void Remove(NodeProto node)
    {
        ArgumentNullException.ThrowIfNull(node);
        int position = PositionOf(node);
        Leave(node);
        _nodePositions.RemoveAt(position);
        ReportEdit();
    }

    /// <summary>Removes nodes; consumers of their outputs must have been given other values before.</summary>
    public void Remove(IReadOnlySet<NodeProto> nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        if (nodes.Count == 0) return;
        foreach (NodeProto node in nodes) Leave(node);
        _nodePositions.Remove(nodes);
        ReportEdit();
    }

    /// <summary>Makes one node read another value at one of its inputs.</summary>
    public void SetInput(NodeProto node, int index, string value)
    {
        ArgumentNullException.ThrowIfNull(node);
        RemoveUse(node.Input[index], node);
        node.Input[index] = value;
        AddUse(value, node, isLast: false);
        ReportEdit();
    }

    /// <summary>Makes every consumer of a value, also inside subgraphs, read another one. Graph outputs keep their names.</summary>
    public void ReplaceUses(string value, string replacement)
    {
        foreach (NodeProto node in Consumers(value).Distinct().ToArray())
        {
            GraphView[] inner = [.. node.Subgraphs().Select(Inner)];
            Unindex(node);
            for (int i = 0; i < node.Input.Count; i++)
                if (node.Input[i] == value) node.Input[i] = replacement;
            foreach (GraphView view in inner) view.ReplaceCaptured(value, replacement);
            Index(node, isLast: false);
        }

        ReportEdit();
    }

    /// <summary>Renames a value that a node of this graph produces, at its producer and at all consumers.</summary>
    public void RenameProduced(string value, string name)
    {
        NodeProto producer = _producers[value];
        ReplaceUses(value, name);
        producer.Output[producer.Output.IndexOf(value)] = name;
        _producers.Remove(value);
        _producers[name] = producer;
        Graph.ValueInfo.RemoveAll(info => info.Name == value);
    }

    /// <summary>As <see cref="ReplaceUses"/>, for a value of an outer graph, which may also be an output of this graph.</summary>
    private void ReplaceCaptured(string value, string replacement)
    {
        if (Defines(value)) return;
        ReplaceUses(value, replacement);
        foreach (ValueInfoProto output in Graph.Output)
        {
            if (output.Name != value) continue;
            output.Name = replacement;
            _outputs.Remove(value);
            _outputs.Add(replacement);
        }
    }

    private int PositionOf(NodeProto node)
    {
        int position = _nodePositions.Of(node);
        return position >= 0
            ? position
            : throw new InvalidOperationException($"node '{node.DisplayName()}' is not in graph '{Graph.Name}'");
    }

    private void Enter(NodeProto node, int position)
    {
        string wanted = node.Name;
        for (int i = 1; node.Name.Length > 0 && !_nodeNames.Add(node.Name); i++)
            node.Name = string.Create(CultureInfo.InvariantCulture, $"{wanted}_{i}");
        _nodePositions.Insert(position, node);
        Index(node, isLast: false);
    }

    private void Leave(NodeProto node)
    {
        _nodeNames.Remove(node.Name);
        Unindex(node);
    }

    private void Index(NodeProto node, bool isLast)
    {
        foreach (string output in node.Output)
            if (output.Length > 0) _producers[output] = node;
        foreach (string input in node.Input) AddUse(input, node, isLast);
        IndexCaptured(node, isLast);
    }

    private void Unindex(NodeProto node)
    {
        foreach (string output in node.Output)
            if (output.Length > 0 && ReferenceEquals(_producers.GetValueOrDefault(output), node)) _producers.Remove(output);
        foreach (string input in node.Input) RemoveUse(input, node);
        UnindexCaptured(node);
    }

    private void IndexCaptured(NodeProto node, bool isLast)
    {
        if (!node.Subgraphs().Any()) return;
        string[] captured = [.. node.Subgraphs().SelectMany(CapturedValues.Of)];
        foreach (string value in captured) AddUse(value, node, isLast);
        _captured[node] = captured;
    }

    private void UnindexCaptured(NodeProto node)
    {
        if (!_captured.Remove(node, out string[]? captured)) return;
        foreach (string value in captured) RemoveUse(value, node);
        _edited.Remove(node);
    }

    private void AddUse(string value, NodeProto node, bool isLast)
    {
        if (value.Length == 0) return;
        if (!_uses.TryGetValue(value, out Uses? uses)) _uses[value] = uses = new Uses();
        uses.Add(node, isLast);
    }

    private void RemoveUse(string value, NodeProto node)
    {
        if (_uses.TryGetValue(value, out Uses? uses)) uses.Remove(node);
    }

    /// <summary>Tells the outer graphs that the values this graph captures may have changed.</summary>
    private void ReportEdit()
    {
        for (GraphView view = this; view is { Outer: { } outer, _holder: { } holder }; view = outer) outer._edited.Add(holder);
    }

    private void FollowInnerEdits()
    {
        if (_edited.Count == 0) return;
        foreach (NodeProto node in _edited.ToArray())
        {
            // Removed nodes have no entry.
            if (!_captured.ContainsKey(node)) continue;
            UnindexCaptured(node);
            IndexCaptured(node, isLast: false);
        }

        _edited.Clear();
    }
}
