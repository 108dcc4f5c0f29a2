namespace NestQuant.Onnx.Graph;

/// <summary>The nodes of one graph that read one value, once per reading input or capturing subgraph.</summary>
internal sealed class Uses
{
    private List<NodeProto> _nodes = [];
    private bool _isInOrder = true;

    /// <summary>Adds a use.</summary>
    /// <param name="node">The reading node.</param>
    /// <param name="isLast">Whether no later node has a use so far.</param>
    public void Add(NodeProto node, bool isLast)
    {
        _isInOrder &= isLast || _nodes.Count == 0;
        _nodes.Add(node);
    }

    /// <summary>Removes one use by a node.</summary>
    public void Remove(NodeProto node)
    {
        int index = _nodes.FindIndex(other => ReferenceEquals(other, node));
        if (index >= 0) _nodes.RemoveAt(index);
    }

    /// <summary>The nodes in graph order.</summary>
    public IReadOnlyList<NodeProto> InOrder(ItemPositions<NodeProto> positions)
    {
        if (!_isInOrder)
        {
            // A new list: the caller may edit the graph while it iterates over an earlier one.
            _nodes = [.. _nodes.OrderBy(positions.Of)];
            _isInOrder = true;
        }

        return _nodes;
    }
}
