using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>
/// Removes transposes that cancel each other, and duplicates.
/// <code>
/// b = Transpose (a); c = Transpose (b); y = Op (c)
/// y = Op (a)
/// </code>
/// </summary>
internal static class InverseTransposes
{
    /// <summary>Rewrites a graph.</summary>
    /// <returns>Whether anything was changed.</returns>
    public static bool Cancel(GraphView view)
    {
        var first = new Dictionary<(string Value, bool ToLast), string>();
        var removed = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        foreach (NodeProto node in view.Graph.Node.ToArray())
        {
            bool toLast = AxisOrder.IsToLast(node);
            if ((!toLast && !AxisOrder.IsToFirst(node)) || view.IsOutput(node.Output[0])) continue;
            NodeProto? producer = view.Producer(node.Input[0]);
            bool undoes = toLast ? AxisOrder.IsToFirst(producer) : AxisOrder.IsToLast(producer);
            if (!undoes && first.TryAdd((node.Input[0], toLast), node.Output[0])) continue;
            view.ReplaceUses(node.Output[0], undoes ? producer!.Input[0] : first[(node.Input[0], toLast)]);
            removed.Add(node);
        }

        view.Remove(removed);
        RemoveUnread(view, removed);
        return removed.Count > 0;
    }

    /// <summary>Removes unused transposes, which a region would otherwise count as needed.</summary>
    private static void RemoveUnread(GraphView view, HashSet<NodeProto> removed)
    {
        NodeProto[] unread =
        [
            .. view.Graph.Node.Where(
                node =>
                    (AxisOrder.IsToLast(node) || AxisOrder.IsToFirst(node))
                        && !view.IsOutput(node.Output[0])
                        && view.Consumers(node.Output[0]).Count == 0)
        ];
        removed.UnionWith(unread);
        view.Remove(unread.ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance));
    }
}
