using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;
using NestQuant.Passes.Selection;

namespace NestQuant.Passes.Nesting;

/// <summary>What <see cref="WeightOptions"/> name, compared with what a model has.</summary>
internal static class WeightSelection
{
    /// <summary>Fails where a pattern or a rule names nothing: it is mistyped, or meant for another model.</summary>
    /// <exception cref="ModelException">One does.</exception>
    public static void Verify(WeightOptions options, NestingCandidate[] candidates, GraphView main)
    {
        // Nodes of a model that was compiled before have the names of those that they were made of.
        string[] nested = [.. main.WithInner().SelectMany(static view => view.Graph.Node).Where(SchemaNodes.IsNested)
            .Select(static node => node.DisplayName())];
        string[] known = [.. candidates.Select(static candidate => candidate.Node.DisplayName()), .. nested];
        VerifyPatterns("include", options.Include, known);
        VerifyPatterns("exclude", options.Exclude, known);
        foreach (WeightRule rule in options.Rules)
        {
            if (candidates.Any(candidate => rule.Matches(candidate.Node.DisplayName(), candidate.Node.OpType))
                || nested.Any(name => rule.Matches(name, rule.Operator ?? ""))) continue;
            throw NoMatch($"the rule for {rule}", rule.Name, known);
        }
    }

    /// <summary>Fails where options select a node whose weight an earlier pass of the same run has nested.</summary>
    /// <exception cref="ModelException">They do.</exception>
    public static void VerifyFirst(WeightOptions options, DecisionLog decisions)
    {
        foreach (Decision decision in decisions.Decisions.Where(static decision => decision is { Rewritten: true, Nesting: not null }))
            if (WeightSettings.Of(options, decision.Node, decision.Op).Reason is null)
                throw new ModelException(
                    $"the weight of node '{decision.Node}' was nested at {decision.Nesting!.Bits} earlier in this "
                        + "pipeline, and cannot be nested again: let one nesting pass only select it (Include, Exclude, Rules)");
    }

    private static void VerifyPatterns(string kind, IReadOnlyList<string> patterns, string[] known)
    {
        foreach (string pattern in patterns)
            if (!Array.Exists(known, new NamePattern(pattern).Matches)) throw NoMatch($"the {kind} pattern '{pattern}'", pattern, known);
    }

    private static ModelException NoMatch(string what, string? name, string[] known) => new(
        $"{what} matches no {NestingCandidate.OperatorsText} of the model: 'nestquant print' shows the names of its nodes"
            + (name is null ? "" : NearNames.Hint(name, known)));
}
