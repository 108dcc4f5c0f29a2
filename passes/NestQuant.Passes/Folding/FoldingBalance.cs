using NestQuant.Onnx;

namespace NestQuant.Passes.Folding;

/// <summary>
/// Keeps constant folding from making a model larger. Expansions, that is pads and broadcasts more than twice as large as the constants
/// that they were computed from, stay folded as far as they together take no more bytes than folding has saved, in the nodes and constants
/// that vanish, the cheapest first. The nodes of the others are put back.
/// </summary>
internal static class FoldingBalance
{
    /// <summary>Restores the balance after graphs of one model have been folded.</summary>
    public static void Restore(IReadOnlyList<FoldedGraph> graphs)
    {
        Expansion[] expansions = FindExpansions(graphs);
        if (expansions.Length == 0) return;
        var sources = new HashSet<NodeProto>(expansions.SelectMany(static e => e.Sources), ReferenceEqualityComparer.Instance);
        var inputs = new HashSet<TensorProto>(expansions.SelectMany(static e => e.Constants), ReferenceEqualityComparer.Instance);
        long others = graphs.SelectMany(static graph => graph.Results).Except(expansions.Select(static e => e.Result)).Sum(Bytes);
        long vanished = graphs.SelectMany(static graph => graph.Vanished).Where(tensor => !inputs.Contains(tensor)).Sum(Bytes);
        long left = Bytes(graphs.SelectMany(static graph => graph.Folded).Where(node => !sources.Contains(node)))
            + Math.Max(0, vanished - others);
        foreach (Expansion expansion in expansions.OrderBy(static expansion => expansion.Cost))
        {
            if (expansion.Cost <= left) left -= expansion.Cost;
            else expansion.Graph.Restore(expansion.Result);
        }
    }

    private static Expansion[] FindExpansions(IReadOnlyList<FoldedGraph> graphs)
    {
        // What several expansions need counts for the largest.
        var counted = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var vanished = graphs.SelectMany(static graph => graph.Vanished).ToHashSet<TensorProto>(ReferenceEqualityComparer.Instance);
        return
        [
            .. from graph in graphs
               from result in graph.Results
               where graph.IsExpansion(result)
               orderby result.ByteCount descending
               select Expansion.Of(graph, result, counted, vanished),
        ];
    }

    private static long Bytes(TensorProto tensor) => tensor.ByteCount + tensor.Name.Length;

    private static long Bytes(IEnumerable<NodeProto> nodes)
    {
        var graph = new GraphProto();
        graph.Node.AddRange(nodes);
        return ModelCodec.Measure(new ModelProto { Graph = graph });
    }

    /// <summary>A result that is larger than what it was computed from.</summary>
    /// <param name="Graph">Its graph.</param>
    /// <param name="Result">The result.</param>
    /// <param name="Sources">The nodes that it alone was computed by.</param>
    /// <param name="Constants">The constants that have vanished with them.</param>
    /// <param name="Cost">The bytes by which it makes the model larger.</param>
    private sealed record Expansion(
        FoldedGraph Graph, TensorProto Result, IReadOnlyList<NodeProto> Sources, IReadOnlyList<TensorProto> Constants, long Cost)
    {
        public static Expansion Of(FoldedGraph graph, TensorProto result, HashSet<object> counted, HashSet<TensorProto> vanished)
        {
            NodeProto[] sources = [.. graph.Sources(result).Where(counted.Add)];
            TensorProto[] constants =
            [
                .. sources.SelectMany(static node => node.Input).Select(graph.View.Constant).OfType<TensorProto>()
                    .Where(tensor => vanished.Contains(tensor) && counted.Add(tensor)),
            ];
            return new Expansion(graph, result, sources, constants, Bytes(result) - Bytes(sources) - constants.Sum(Bytes));
        }
    }
}
