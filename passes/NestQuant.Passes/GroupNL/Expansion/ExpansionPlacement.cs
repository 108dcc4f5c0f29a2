using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Selection;

namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>
/// Which convolutions of a model are expanded: those that the user names, or the paper's (arXiv 2506.12335, section 4), told by structure.
/// In a model with depthwise convolutions (MobileNet, EfficientNet) these and no others; in any other (ResNet) the 3x3 ones of stride 1.
/// The first convolution, 1x1, grouped and strided ones, among them the down-sampling, stay.
/// </summary>
internal static class ExpansionPlacement
{
    /// <summary>Gives every candidate that is not chosen its reason.</summary>
    /// <exception cref="ModelException">A pattern matches no candidate.</exception>
    public static void Decide(IReadOnlyList<ExpansionCandidate> candidates, GraphView view, GroupNLExpandOptions options)
    {
        if (options.Include.Count > 0)
        {
            var included = options.Include.SelectMany(pattern => Matching(candidates, pattern, "include")).ToHashSet();
            foreach (ExpansionCandidate candidate in candidates)
                if (!included.Contains(candidate)) candidate.Reason ??= "no include pattern names it";
        }
        else
        {
            bool expanded = candidates.Any(static candidate => candidate.IsSeed),
                depthwise = candidates.Any(static candidate => candidate.IsDepthwise);
            HashSet<NodeProto> first = FirstConvolutions(view);
            foreach (ExpansionCandidate candidate in candidates)
            {
                // Before what makes a candidate impossible: that would not matter for a node that is not asked for.
                string? unplaced = expanded && !candidate.IsSeed
                    ? "the model has GroupNL blocks already: include patterns can name more convolutions"
                    : WhyUnplaced(candidate, depthwise, first.Contains(candidate.Node));
                candidate.Reason = candidate.IsSeed ? candidate.Reason : unplaced ?? candidate.Reason;
            }
        }

        foreach (string pattern in options.Exclude)
            foreach (ExpansionCandidate candidate in Matching(candidates, pattern, "exclude"))
                candidate.Reason = $"excluded by '{pattern}'";
    }

    private static string? WhyUnplaced(ExpansionCandidate candidate, bool depthwiseModel, bool first)
    {
        if (candidate.Shape is not { } shape) return null;
        if (depthwiseModel) return candidate.IsDepthwise ? null : "the model has depthwise convolutions, and this is none";
        if (first) return "it is the first convolution (stem)";
        if (shape.Groups > 1) return "it is grouped";
        if (candidate.Weight!.Dims[2] != 3 || candidate.Weight.Dims[3] != 3)
            return $"its kernel is {candidate.Weight.Dims[2]}x{candidate.Weight.Dims[3]}, not 3x3";
        return candidate.Node.GetInts("strides") is { } strides && Array.Exists(strides, static stride => stride != 1)
            ? $"its stride is {string.Join('x', strides)}, not 1"
            : null;
    }

    /// <summary>The convolutions that no other convolution comes before.</summary>
    private static HashSet<NodeProto> FirstConvolutions(GraphView view)
    {
        var first = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var behind = new HashSet<string>(StringComparer.Ordinal);
        foreach (NodeProto node in view.Graph.Node)
        {
            bool isBehind = node.Input.Concat(node.Subgraphs().SelectMany(CapturedValues.Of)).Any(behind.Contains);
            if (node.Is("Conv") && !isBehind) first.Add(node);
            if (isBehind || node.Is("Conv")) behind.UnionWith(node.Output);
        }

        return first;
    }

    private static ExpansionCandidate[] Matching(IReadOnlyList<ExpansionCandidate> candidates, string pattern, string kind)
    {
        var names = new NamePattern(pattern);
        ExpansionCandidate[] matching = [.. candidates.Where(candidate => names.Matches(candidate.Node.DisplayName()))];
        return matching.Length > 0
            ? matching
            : throw new ModelException(
                $"the {kind} pattern '{pattern}' for the expansion matches no Conv of the model's main graph: 'nestquant print' shows the names of its nodes");
    }
}
