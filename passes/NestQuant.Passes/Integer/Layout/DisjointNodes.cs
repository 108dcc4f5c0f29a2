using NestQuant.Onnx;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Disjoint sets of nodes of equal rank (union by order of addition, with path halving).</summary>
internal sealed class DisjointNodes
{
    private readonly List<(NodeProto Node, int Rank)> _nodes = [];
    private readonly List<int> _parents = [];
    private readonly Dictionary<NodeProto, int> _indexes = new(ReferenceEqualityComparer.Instance);

    /// <summary>Adds a node as a set of its own.</summary>
    public void Add(NodeProto node, int rank)
    {
        _indexes.Add(node, _nodes.Count);
        _parents.Add(_nodes.Count);
        _nodes.Add((node, rank));
    }

    /// <summary>Whether a node was added.</summary>
    public bool Contains(NodeProto node) => _indexes.ContainsKey(node);

    /// <summary>Makes one set of two, unless their ranks differ.</summary>
    public void Join(NodeProto a, NodeProto b)
    {
        int x = Root(_indexes[a]), y = Root(_indexes[b]);
        if (_nodes[x].Rank == _nodes[y].Rank) _parents[Math.Max(x, y)] = Math.Min(x, y);
    }

    /// <summary>All sets, and the nodes of each, in the order of addition.</summary>
    public IEnumerable<(List<NodeProto> Nodes, int Rank)> All()
    {
        var sets = new SortedDictionary<int, List<NodeProto>>();
        for (int i = 0; i < _nodes.Count; i++)
        {
            int root = Root(i);
            if (!sets.TryGetValue(root, out List<NodeProto>? nodes)) sets[root] = nodes = [];
            nodes.Add(_nodes[i].Node);
        }

        return sets.Select(set => (set.Value, _nodes[set.Key].Rank));
    }

    private int Root(int index)
    {
        while (_parents[index] != index) index = _parents[index] = _parents[_parents[index]];
        return index;
    }
}
