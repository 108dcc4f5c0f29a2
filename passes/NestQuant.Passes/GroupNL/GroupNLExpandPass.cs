using System.Numerics.Tensors;
using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;
using NestQuant.Compiler.Pipeline;

namespace NestQuant.Passes.GroupNL;

/// <summary>
/// Rewrites convolutions into GroupNL blocks (arXiv 2506.12335): a seed convolution with fewer filters, and maps generated from its
/// normalised results, in operators of ONNX itself.
/// <code>
/// y = Conv (x, W, B)
/// s = Conv (x, W_seeds); n = Div (s, Clip (ReduceL2 (s), 1e-12)); y = Add (Concat (n, Sin (Mul (Sub (n, shift), period))), B)
/// </code>
/// </summary>
/// <remarks>
/// <para>The result computes another function: it has to be trained before it is of use, and no accuracy is promised. It starts from trained
/// filters (see <see cref="SeedFilters"/>), and what follows the convolution, batch normalisation among it, stays behind the block.</para>
/// <para>With r > 2 every group of n is repeated r - 1 times by Split, Tile and Concat before the shift. The number of outputs must be a multiple of
/// r, so that there are as many maps as before; of seeds that g does not divide, the first group gets the remainder. The seed convolution has no
/// bias, as in the released code: the bias of the convolution moves behind the block, per channel. A weight that other nodes read stays for them.</para>
/// <para>Convolutions in bodies of If, Loop and Scan and in local functions are left alone, and so is a model's every other convolution once it has GroupNL
/// blocks, unless patterns name it: so the pass changes nothing in its own result.</para>
/// </remarks>
public sealed class GroupNLExpandPass : IGraphPass
{
    private readonly GroupNLExpandOptions _options;

    /// <summary>Creates the pass. It always writes the standard form; <see cref="GroupNLFusePass"/> after it makes the fused one.</summary>
    public GroupNLExpandPass(GroupNLExpandOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Ratio, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Groups, 1);
        _options = options;
    }

    /// <inheritdoc/>
    public string Name => PassName;

    /// <summary>Name of the pass in the decision log.</summary>
    public const string PassName = "groupnl-expansion";

    /// <summary>Operator name of the log's last entry, about the whole model.</summary>
    public const string Summary = "(model)";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        ModelProto model = context.Model;
        GraphView view = GraphView.Of(model.MainGraph());
        ExpansionCandidate[] candidates = [.. view.Graph.Node.Where(static node => node.Is("Conv")).Select(node => ExpansionCandidate.Of(node, view, _options))];
        ExpansionPlacement.Decide(candidates, view, _options);
        ExpansionCandidate[] open = [.. candidates.Where(static candidate => candidate.Reason is null)];
        if (open.Length == 0 && !candidates.Any(static candidate => candidate.IsSeed)) throw NothingToExpand(candidates);
        if (open.Length > 0 && model.OpsetVersion() < StandardExpansion.FirstOpset)
            throw new ModelException($"the model imports operator set {model.OpsetVersion()}: GroupNL blocks need {StandardExpansion.FirstOpset} or later; convert the model first");
        foreach (ExpansionCandidate candidate in open) VerifyFinite(candidate);

        ExpansionCost? cost = open.Length > 0 ? new ExpansionCost(model, view, candidates, _options) : null;
        var expansion = new StandardExpansion(view, new UniqueNames(model), model.OpsetVersion(), _options, new SeededUniform(_options.Seed));
        for (int i = 0; i < open.Length; i++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            expansion.Replace(open[i]);
            context.Progress?.Report(new PassProgress(Name, i + 1, open.Length));
        }

        Log(candidates, cost, context);
        return new PassResult(open.Length > 0);
    }

    private void Log(ExpansionCandidate[] candidates, ExpansionCost? cost, ModelContext context)
    {
        foreach (ExpansionCandidate candidate in candidates)
        {
            NodeProto node = candidate.Node;
            if (candidate.Reason is { } reason) context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reason);
            else context.Decisions.Rewritten(Name, node.DisplayName(), node.OpType, note: cost!.Describe(candidate));
        }

        GraphProto graph = context.Model.MainGraph();
        foreach (NodeProto node in graph.Node.SelectMany(static node => node.Subgraphs()).SelectMany(static body => GraphTraversal.AllNodes(body.Node)))
            if (node.Is("Conv")) context.Decisions.Kept(Name, node.DisplayName(), node.OpType, "it is part of a body of If, Loop or Scan");
        foreach (FunctionProto function in context.Model.Functions)
            foreach (NodeProto node in GraphTraversal.AllNodes(function.Node).Where(static node => node.Is("Conv")))
                context.Decisions.Kept(Name, node.DisplayName(), node.OpType, $"it is part of the local function '{function.Name}'");
        if (cost is null) return;
        DeadCode.Remove(graph);
        context.Decisions.Rewritten(Name, graph.Name, Summary, note: $"{cost.Summarise()}; the expanded model needs training");
    }

    private ModelException NothingToExpand(ExpansionCandidate[] candidates)
    {
        const int shown = 3;
        if (candidates.Length == 0) return new ModelException("nothing to expand: the main graph of the model has no Conv");
        string[] reasons = [.. candidates.Select(static candidate => candidate.Reason!).Distinct(StringComparer.Ordinal)];
        string more = reasons.Length > shown ? "; ..." : "";
        return new ModelException($"nothing to expand with {_options}: every Conv is kept ({string.Join("; ", reasons.Take(shown))}{more}): --groupnl-include names convolutions to expand");
    }

    private static void VerifyFinite(ExpansionCandidate candidate)
    {
        if (!TensorPrimitives.IsFiniteAll(candidate.Weight!.ToFloats()))
            throw new ModelException($"weight '{candidate.Weight.Name}' of node '{candidate.Node.DisplayName()}' has values that are not finite: retrain or repair the model, or leave the node out with --groupnl-exclude");
    }
}
