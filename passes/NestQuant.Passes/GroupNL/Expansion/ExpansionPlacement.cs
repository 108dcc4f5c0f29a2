using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Selection;

namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>
/// Chooses the convolutions to expand: those that the user names, or by the paper's placement (arXiv 2506.12335, section 4), recognised by
/// structure. In a model with depthwise convolutions (MobileNet, EfficientNet) only these; in any other (ResNet) the 3x3 ones of stride 1.
/// The first convolution and 1x1, grouped and strided (down-sampling) ones stay.
/// </summary>
internal static class ExpansionPlacement
{
    /// <summary>Records a reason for every candidate that is not chosen.</summary>
    /// <exception cref="ModelException">A pattern matches no candidate.</exception>
    public static void Decide(IReadOnlyList<ExpansionCandidate> candidates, GraphView view, GroupNLExpandOptions options)
    {
        if (options.Include.Count > 0)
        {
            var included = options.Include.SelectMany(pattern => Matching(candidates, pattern, "include")).ToHashSet();
            foreach (ExpansionCandidate candidate in candidates)
                if (!included.Contains(candidate)) candidate.Reason ??= "no include pattern matches it";
        }
        else
        {
            bool expanded = candidates.Any(static candidate => candidate.IsSeed),
                depthwise = candidates.Any(static candidate => candidate.IsDepthwise);
            HashSet<NodeProto> first = FirstConvolutions(view);
            foreach (ExpansionCandidate candidate in candidates)
            {
                // Comes before other reasons, which do not matter for a node that the user did not ask for.
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
        if (depthwiseModel) return candidate.IsDepthwise ? null : "the model has depthwise convolutions, and this is not one";
        if (first) return "it is the first convolution (stem)";
        if (shape.Groups > 1) return "it is grouped";
        if (candidate.Weight!.Dims[2] != 3 || candidate.Weight.Dims[3] != 3)
            return $"its kernel is {candidate.Weight.Dims[2]}x{candidate.Weight.Dims[3]}, not 3x3";
        return candidate.Node.GetInts("strides") is { } strides && Array.Exists(strides, static stride => stride != 1)
            ? $"its stride is {string.Join('x', strides)}, not 1"
            : null;
    }

    /// <summary>The convolutions that do not depend on another convolution.</summary>
    private static HashSet<NodeProto> FirstConvolutions(GraphView view)
    {
        var first = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var downstream = new HashSet<string>(StringComparer.Ordinal);
        foreach (NodeProto node in view.Graph.Node)
        {
            bool followsConv = node.Input.Concat(node.Subgraphs().SelectMany(CapturedValues.Of)).Any(downstream.Contains);
            if (node.Is("Conv") && !followsConv) first.Add(node);
            if (followsConv || node.Is("Conv")) downstream.UnionWith(node.Output);
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
                $"the {kind} pattern '{pattern}' for the expansion matches no Conv of the model's main graph: 'nestquant print' "
                    + "shows the names of its nodes");
    }
}
