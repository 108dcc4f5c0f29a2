using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Selection;

namespace NestQuant.Passes.Nesting;

/// <summary>The nodes of a model whose weights can be nested, and those that cannot, with the reason.</summary>
internal static class NestingCandidates
{
    /// <summary>All candidates of a main graph and its bodies, in graph order.</summary>
    /// <param name="main">The main graph.</param>
    /// <param name="exclude">Patterns of node names to leave alone.</param>
    /// <exception cref="ModelException">A pattern matches no candidate, or a weight that is not left out is broken.</exception>
    public static NestingCandidate[] Find(GraphView main, IReadOnlyList<string> exclude)
    {
        NestingCandidate[] candidates =
        [
            .. from view in main.WithInner()
               from node in view.Graph.Node
               where NestingCandidate.IsCandidate(node)
               select NestingCandidate.Of(node, view),
        ];
        Exclude(candidates, exclude);
        if (Array.Find(candidates, static candidate => candidate is { Reason: null, Defect: not null }) is { } broken)
            throw new ModelException(broken.Defect!);
        KeepWeightsNeededInFloat(candidates);
        return candidates;
    }

    private static void Exclude(NestingCandidate[] candidates, IReadOnlyList<string> patterns)
    {
        foreach (string pattern in patterns)
        {
            var names = new NamePattern(pattern);
            bool matched = false;
            foreach (NestingCandidate candidate in candidates)
            {
                if (!names.Matches(candidate.Node.DisplayName())) continue;
                candidate.Reason = $"excluded by '{pattern}'";
                matched = true;
            }

            if (!matched)
                throw new ModelException(
                    $"--exclude '{pattern}' matches no Conv, ConvTranspose, Gemm or MatMul of the model: 'nestquant print' shows "
                        + "the names of its nodes");
        }
    }

    /// <summary>Keeps the candidates whose weight is read by anything that is not to be rewritten.</summary>
    private static void KeepWeightsNeededInFloat(NestingCandidate[] candidates)
    {
        var open = new Dictionary<NodeProto, NestingCandidate>(ReferenceEqualityComparer.Instance);
        foreach (NestingCandidate candidate in candidates)
            if (candidate.Reason is null) open.Add(candidate.Node, candidate);
        foreach (NestingCandidate candidate in open.Values)
            candidate.Reason = WhyNeededInFloat(candidate.Weight!, candidate.Owner!, open);
    }

    private static string? WhyNeededInFloat(TensorProto weight, GraphView owner, Dictionary<NodeProto, NestingCandidate> open)
    {
        if (owner.IsOutput(weight.Name)) return $"its weight '{weight.Name}' is an output of the graph";
        foreach (NodeProto reader in Readers(weight.Name, owner))
        {
            bool asWeight = open.ContainsKey(reader)
                && reader.Input.IndexOf(weight.Name) == 1
                && reader.Input.LastIndexOf(weight.Name) == 1;
            if (!asWeight)
                return $"its weight '{weight.Name}' is also read by {reader.OpType} '{reader.DisplayName()}', which needs it in float32";
        }

        return null;
    }

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
