using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.HalfPrecision;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Stores the constant weights of Conv, ConvTranspose, Gemm and MatMul, and the tables of Gather, as nested integers and lets NestQuant's
/// operators read them.
/// <code>
/// y = Conv (x, W, B)
/// w = com.nestquant.NestedDequantizeLinear (W_high, W_low, W_scale, W_zero_point, nest_bits); y = Conv (x, w, B)     weight-only
/// y = com.nestquant.NestedConv (DynamicQuantizeLinear (x), W_high, W_low, W_scale, W_zero_point, B, nest_bits)       dynamic
/// y = Gather (W, i)
/// y = com.nestquant.NestedGather (i, W_high, W_low, W_scale, W_zero_point, nest_bits)
/// </code>
/// </summary>
/// <remarks>
/// A weight is nested once, however many nodes read it, and only where all of them can: a node that needs it in float would keep
/// the float copy in the model. Works on the bodies of If, Loop and Scan too. Running it again changes nothing, since a nested weight is
/// no longer a float constant.
/// </remarks>
public sealed class NestingPass : IGraphPass
{
    /// <summary>Name of the pass in the decision log.</summary>
    public const string PassName = "nesting";

    /// <summary>Name under which calibrated rounding reports its progress.</summary>
    internal const string CalibrationName = "calibrated rounding";

    private readonly WeightOptions _weights;
    private readonly ActivationMode _activations;

    /// <summary>Creates the pass.</summary>
    /// <param name="weights">Which weights to nest, and how.</param>
    /// <param name="activations">How activations reach the nested operators.</param>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public NestingPass(WeightOptions weights, ActivationMode activations = ActivationMode.Dynamic)
    {
        ArgumentNullException.ThrowIfNull(weights);
        weights.Verify();
        weights.VerifyData();
        _weights = weights;
        _activations = activations;
    }

    /// <inheritdoc/>
    public string Name => PassName;

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        WeightSelection.VerifyFirst(_weights, context.Decisions);
        GraphView main = GraphView.Of(context.Model.MainGraph());
        NestingCandidate[] candidates = NestingCandidates.Find(main, _weights, context.Find<GuardedActivations>());

        NestingCandidate[] open = [.. candidates.Where(static candidate => candidate.Reason is null)];
        if (LayerTimes.Estimate(open, _activations) is { } times) context.Leave(times);
        var emitter = new NestedGraphEmitter(context.Model, main, _activations);
        // What a product and a Gather share is rounded for the product.
        NestingCandidate[] productsFirst = [.. open.OrderBy(static candidate => candidate.IsTable)];
        Dictionary<TensorProto, NestedOperands> operands = NestWeights(main, productsFirst, emitter, context);
        foreach (NestingCandidate candidate in open) candidate.Note = emitter.Rewrite(candidate);

        foreach (NestingCandidate candidate in candidates)
        {
            NodeProto node = candidate.Node;
            if (candidate.Reason is { } reason)
            {
                context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reason);
                continue;
            }

            NestedOperands nested = operands[candidate.Weight!];
            NestingNumbers numbers = context.Find<StoredHalves>() is { } halves
                ? nested.Numbers with { SourceBytes = halves.SourceBytes(candidate.Weight!) }
                : nested.Numbers;
            context.Decisions.Rewritten(Name, node.DisplayName(), node.OpType, numbers, NoteOf(candidate), nested.Warning);
        }

        LogFunctions(context);
        if (open.Length > 0)
        {
            OperandFiles.AssignOperands(context.Model);
            DeadCode.Remove(context.Model.MainGraph());
        }

        return new PassResult(open.Length > 0);
    }

    private Dictionary<TensorProto, NestedOperands> NestWeights(
        GraphView main, NestingCandidate[] open, NestedGraphEmitter emitter, ModelContext context)
    {
        var operands = new Dictionary<TensorProto, NestedOperands>(ReferenceEqualityComparer.Instance);
        long total = open.Sum(static candidate => candidate.Channels.Count), done = 0;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = context.Threads, CancellationToken = context.Cancellation };
        foreach (NestingCandidate candidate in open) VerifyFinite(candidate.Weight!, candidate.Node);
        Dictionary<TensorProto, NestedWeight> calibrated = _weights.Calibration is null
            ? new(ReferenceEqualityComparer.Instance)
            : CalibratedNester.Nest(main, open, _weights, context, parallel);
        foreach (NestingCandidate candidate in open)
        {
            TensorProto weight = candidate.Weight!;
            if (!operands.ContainsKey(weight))
            {
                if (!calibrated.Remove(weight, out NestedWeight? nested))
                    nested = WeightNester.Nest(weight, candidate.Channels, candidate.WithoutData, parallel);
                operands[weight] = emitter.AddOperands(nested, weight, parallel);
            }

            done += candidate.Channels.Count;
            context.Progress?.Report(new PassProgress(Name, done, total));
        }

        return operands;
    }

    private static string? NoteOf(NestingCandidate candidate) =>
        candidate.Note is null || candidate.RoundingNote is null
            ? candidate.Note ?? candidate.RoundingNote
            : $"{candidate.Note}; {candidate.RoundingNote}";

    private static void VerifyFinite(TensorProto weight, NodeProto node)
    {
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(weight.GetBytes().Span);
        if (TensorPrimitives.IsFiniteAll(values)) return;
        for (int i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i]))
                throw new ModelException(
                    $"weight '{weight.Name}' of node '{node.DisplayName()}' is {values[i]} at element {i}: weights must be finite; "
                        + "retrain or repair the model, or exclude the node");
    }

    private void LogFunctions(ModelContext context)
    {
        foreach (FunctionProto function in context.Model.Functions)
            foreach (NodeProto node in GraphTraversal.AllNodes(function.Node).Where(NestingCandidate.IsProduct))
                context.Decisions.Kept(
                    Name,
                    node.DisplayName(),
                    node.OpType,
                    $"it is part of the local function '{function.Name}', which has no constants of its own");
    }
}
