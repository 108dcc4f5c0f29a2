using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting;

/// <summary>The nodes of a model whose weights can be nested, and those that cannot, with the reason.</summary>
internal static class NestingCandidates
{
    /// <summary>All candidates of a main graph and its bodies, in graph order.</summary>
    /// <param name="main">The main graph.</param>
    /// <param name="options">Which nodes to nest, and how.</param>
    /// <param name="guarded">The activations that stay float; null for none.</param>
    /// <exception cref="ModelException">A pattern or a rule matches no candidate, rules contradict each other, or a weight that is not left
    /// out is broken.</exception>
    public static NestingCandidate[] Find(GraphView main, WeightOptions options, GuardedActivations? guarded = null)
    {
        NestingCandidate[] candidates =
        [
            .. from view in main.WithInner()
               from node in view.Graph.Node
               from input in NestingCandidate.WeightInputs(node, view)
               let settings = WeightSettings.Of(options, node.DisplayName(), node.OpType)
               select NestingCandidate.Of(node, input, view, settings, guarded?.WhyWeightOnly(node)),
        ];
        WeightSelection.Verify(options, candidates, main);
        if (Array.Find(candidates, static candidate => candidate is { Reason: null, Defect: not null }) is { } broken)
            throw new ModelException(broken.Defect!);
        KeepWeightsNeededInFloat(candidates);
        VerifyShared(candidates);
        return candidates;
    }

    /// <summary>A weight is nested once, so that its readers must want the same.</summary>
    private static void VerifyShared(NestingCandidate[] candidates)
    {
        var first = new Dictionary<TensorProto, NestingCandidate>(ReferenceEqualityComparer.Instance);
        foreach (NestingCandidate candidate in candidates)
            if (candidate.Reason is null
                && !first.TryAdd(candidate.Weight!, candidate)
                && first[candidate.Weight!].Settings.Quantization != candidate.Settings.Quantization)
                throw new ModelException(
                    $"weight '{candidate.Weight!.Name}' is read by '{first[candidate.Weight].Node.DisplayName()}' and "
                        + $"'{candidate.Node.DisplayName()}', which rules give different settings: a weight is stored once, "
                            + "so give both the same");
    }

    /// <summary>Keeps the candidates whose weight is read by anything that is not to be rewritten.</summary>
    private static void KeepWeightsNeededInFloat(NestingCandidate[] candidates)
    {
        NestingCandidate[] open = [.. candidates.Where(static candidate => candidate.Reason is null)];
        ILookup<NodeProto, NestingCandidate> byNode = open.ToLookup(
            static candidate => candidate.Node, (IEqualityComparer<NodeProto>)ReferenceEqualityComparer.Instance);
        var transposes = new Dictionary<NodeProto, GraphView>(ReferenceEqualityComparer.Instance);
        foreach (NestingCandidate candidate in open)
            if (candidate.Transpose is { } transpose) transposes[transpose] = candidate.View;
        foreach (NestingCandidate candidate in open)
            candidate.Reason = WhyNeededInFloat(candidate.Weight!, candidate.Owner!, byNode, transposes);
    }

    private static string? WhyNeededInFloat(
        TensorProto weight, GraphView owner, ILookup<NodeProto, NestingCandidate> open, Dictionary<NodeProto, GraphView> transposes)
    {
        if (owner.IsOutput(weight.Name)) return $"its weight '{weight.Name}' is an output of the graph";
        foreach (NodeProto reader in Readers(weight.Name, owner))
        {
            bool asWeight = open[reader].Any(candidate => candidate.Weight == weight
                && reader.Input.IndexOf(weight.Name) == candidate.WeightInput
                && reader.Input.LastIndexOf(weight.Name) == candidate.WeightInput);
            if (!asWeight && !IsTransposedForProducts(reader, open, transposes))
                return $"its weight '{weight.Name}' is also read by {reader.OpType} '{reader.DisplayName()}', which needs it in float32";
        }

        return null;
    }

    /// <summary>Whether a node transposes a weight, and only products that are to be rewritten read the result.</summary>
    private static bool IsTransposedForProducts(
        NodeProto node, ILookup<NodeProto, NestingCandidate> open, Dictionary<NodeProto, GraphView> transposes) =>
        transposes.TryGetValue(node, out GraphView? view)
            && !view.IsOutput(node.Output[0])
            && Readers(node.Output[0], view).All(reader => open[reader].Any(product => product.Transpose == node)
                && reader.InputAt(0) != node.Output[0]);

    /// <summary>The nodes that read a value, those inside bodies in the place of the nodes that hold the bodies.</summary>
    private static IEnumerable<NodeProto> Readers(string value, GraphView owner)
    {
        foreach (NodeProto consumer in owner.Consumers(value).Distinct())
        {
            if (consumer.Input.Contains(value)) yield return consumer;
            foreach (GraphProto body in consumer.Subgraphs())
                if (CapturedValues.Of(body).Contains(value))
                    foreach (NodeProto inner in Readers(value, owner.Inner(body))) yield return inner;
        }
    }
}
