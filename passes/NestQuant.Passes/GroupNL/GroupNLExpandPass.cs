using System.Globalization;
using System.Numerics.Tensors;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.GroupNL.Calibration;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.Sampling;

namespace NestQuant.Passes.GroupNL;

/// <summary>
/// Rewrites convolutions into GroupNL blocks (arXiv 2506.12335): a seed convolution with fewer filters, and maps generated from its
/// normalised results, in operators of ONNX itself.
/// <code>
/// y = Conv (x, W, B)
/// s = Conv (x, W_seeds); n = Div (s, Clip (ReduceL2 (s), 1e-12)); y = Add (Concat (n, Sin (Mul (Sub (n, shift), period))), B)
/// </code>
/// or with another function, <see cref="GroupNLExpandOptions.Function"/>, instead of Sin.
/// </summary>
/// <remarks>
/// <para>The result computes another function: it has to be trained before it is useful, and no accuracy is promised. It starts from
/// trained filters (see <see cref="SeedFilters"/>), and the nodes after the convolution, such as batch normalisation, stay after the
/// block.</para>
/// <para>With a <see cref="GroupNLCalibration"/> the Conv and Gemm that read a block, directly or through nodes that stay as they are, are
/// refitted to their original outputs by ridge regression, with the generated maps as fixed features. Where the error is too large, or
/// something else reads the maps, the convolution is kept. A second run on the result, with patterns that name the kept convolutions, fits
/// to the model it is given, and so may expand more.</para>
/// <para>With r > 2 every group of n is repeated r - 1 times by Split, Tile and Concat before the shift. The number of outputs must be a
/// multiple of r, so that the number of maps stays the same; when g does not divide the number of seeds, the first group gets the
/// remainder. The seed convolution has no bias, as in the released code: the bias of the convolution is added after the block, per channel.
/// A weight that other nodes read stays for them.</para>
/// <para>Convolutions in subgraphs of If, Loop and Scan and in local functions are left alone. So is every convolution of a model that
/// already has GroupNL blocks, unless a pattern names it: the pass does not change its own result.</para>
/// </remarks>
public sealed class GroupNLExpandPass : IGraphPass
{
    private readonly GroupNLExpandOptions _options;
    private readonly GroupNLCalibration? _calibration;

    /// <summary>Creates the pass. It always writes the standard form; <see cref="GroupNLFusePass"/> after it makes the fused one.</summary>
    /// <param name="options">What to expand, and how.</param>
    /// <param name="calibration">
    /// How to refit the consumers of an expanded layer to their original outputs (see <see cref="GroupNLCalibration"/>); null leaves that
    /// to training. Convolutions for which that fails are kept.
    /// </param>
    public GroupNLExpandPass(GroupNLExpandOptions options, GroupNLCalibration? calibration = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Ratio, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Groups, 1);
        _options = options;
        _calibration = calibration;
    }

    /// <inheritdoc/>
    public string Name => PassName;

    /// <summary>Name of the pass in the decision log.</summary>
    public const string PassName = "groupnl-expansion";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        ModelProto model = context.Model;
        GraphView view = GraphView.Of(model.MainGraph());
        ExpansionCandidate[] candidates =
        [
            .. view.Graph.Node.Where(static node => node.Is("Conv")).Select(node => ExpansionCandidate.Of(node, view, _options))
        ];
        ExpansionPlacement.Decide(candidates, view, _options);
        ExpansionCandidate[] open = [.. candidates.Where(static candidate => candidate.Reason is null)];
        if (open.Length == 0 && !candidates.Any(static candidate => candidate.IsSeed)) throw NothingToExpand(candidates);
        if (open.Length > 0 && model.OpsetVersion() < StandardExpansion.FirstOpset)
            throw new ModelException(
                $"the model imports operator set {model.OpsetVersion()}: GroupNL blocks need {StandardExpansion.FirstOpset} or "
                    + "later; convert the model first");
        foreach (ExpansionCandidate candidate in open) VerifyFinite(candidate);

        ExpansionCost? cost = open.Length > 0 ? new ExpansionCost(model, view, candidates, _options) : null;
        Action<ExpansionCandidate> replace = CreateExpansion(context, view);
        for (int i = 0; i < open.Length; i++)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            replace(open[i]);
            context.Progress?.Report(new PassProgress(Name, i + 1, open.Length));
        }

        Log(candidates, cost, context);
        return new PassResult(Array.Exists(open, static candidate => candidate.Reason is null));
    }

    private Action<ExpansionCandidate> CreateExpansion(ModelContext context, GraphView view)
    {
        var names = new UniqueNames(context.Model);
        return _calibration is { } calibration
            ? new CalibratedExpansion(context, names, _options, calibration).Replace
            : new StandardExpansion(view, names, context.Model.OpsetVersion(), _options, new SeededUniform(_options.Seed)).Replace;
    }

    private void Log(ExpansionCandidate[] candidates, ExpansionCost? cost, ModelContext context)
    {
        foreach (ExpansionCandidate candidate in candidates)
        {
            NodeProto node = candidate.Node;
            if (candidate.Reason is { } reason) context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reason);
            else context.Decisions.Rewritten(
                Name,
                node.DisplayName(),
                node.OpType,
                note: candidate.Refit is { } refit ? $"{cost!.Describe(candidate)}; {refit}" : cost!.Describe(candidate));
        }

        GraphProto graph = context.Model.MainGraph();
        foreach (NodeProto node in graph.Node.SelectMany(static node => node.Subgraphs())
                .SelectMany(static subgraph => GraphTraversal.AllNodes(subgraph.Node)))
            if (node.Is("Conv"))
                context.Decisions.Kept(Name, node.DisplayName(), node.OpType, "it is part of a subgraph of If, Loop or Scan");
        foreach (FunctionProto function in context.Model.Functions)
            foreach (NodeProto node in GraphTraversal.AllNodes(function.Node).Where(static node => node.Is("Conv")))
                context.Decisions.Kept(Name, node.DisplayName(), node.OpType, $"it is part of the local function '{function.Name}'");
        string? curve = BudgetCurve.Describe(candidates);
        if (cost is null || !Array.Exists(candidates, static candidate => candidate.Reason is null))
        {
            if (curve is not null) context.Decisions.Kept(Name, graph.Name, Decision.WholeModel, $"no Conv is expanded; {curve}");
            return;
        }

        DeadCode.Remove(graph);
        string outlook = _calibration is { } calibration
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"their consumers are refitted on {calibration.Data.Count} samples: 'nestquant evaluate' tells what that costs in accuracy")
            : "the expanded model needs training";
        context.Decisions.Rewritten(
            Name, graph.Name, Decision.WholeModel, note: $"{cost.Summarise()}; {outlook}{(curve is null ? "" : $"; {curve}")}");
    }

    private ModelException NothingToExpand(ExpansionCandidate[] candidates)
    {
        const int shown = 3;
        if (candidates.Length == 0) return new ModelException("nothing to expand: the main graph of the model has no Conv");
        string[] reasons = [.. candidates.Select(static candidate => candidate.Reason!).Distinct(StringComparer.Ordinal)];
        string more = reasons.Length > shown ? "; ..." : "";
        return new ModelException(
            $"nothing to expand with {_options}: every Conv is kept ({string.Join("; ", reasons.Take(shown))}{more}): "
                + "include patterns name convolutions to expand");
    }

    private static void VerifyFinite(ExpansionCandidate candidate)
    {
        if (!TensorPrimitives.IsFiniteAll(candidate.Weight!.ToFloats()))
            throw new ModelException(
                $"weight '{candidate.Weight.Name}' of node '{candidate.Node.DisplayName()}' has values that are not finite: retrain "
                    + "or repair the model, or exclude the node from the expansion");
    }
}
