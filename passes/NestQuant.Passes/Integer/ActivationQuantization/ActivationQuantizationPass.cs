using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Integer.TransposedConvolutions;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Integer.ActivationQuantization;

/// <summary>
/// Quantizes the inputs of future integer operators, with ranges known at compile time. The result is an ordinary QDQ model whose weights
/// are still float.
/// <code>
/// y = Conv (x, W); z = Relu (y); u = Conv (z, V)
/// x' = DequantizeLinear (QuantizeLinear (x)); z = Relu (Conv (x', W)); z' = DequantizeLinear (QuantizeLinear (z)); u = Conv (z', V)
/// </code>
/// </summary>
/// <remarks>
/// uint8, per tensor. Conv, Gemm and MatMul that nesting will execute in integers are quantized; from there the region grows over the
/// operators of <see cref="IntegerRules"/>, see <see cref="IntegerRegion"/>. Graph outputs stay float, and so do the subgraphs of If, Loop
/// and Scan, whose activations are quantized at run time. Existing QuantizeLinear/DequantizeLinear pairs are used as they are (<see
/// cref="UnsignedPairs"/>: int8 as uint8). A second run changes nothing, since the values to be quantized then already come from a
/// DequantizeLinear.
/// </remarks>
public sealed class ActivationQuantizationPass : IGraphPass
{
    private readonly WeightOptions _weights;
    private readonly IActivationRangeSource _ranges;

    /// <summary>Creates the pass.</summary>
    /// <param name="weights">Which weights will be nested: what they multiply is quantized.</param>
    /// <param name="ranges">Where the ranges come from. Asked once, and only when there is something to quantize.</param>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    public ActivationQuantizationPass(WeightOptions weights, IActivationRangeSource ranges)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(ranges);
        weights.Verify();
        _weights = weights;
        _ranges = ranges;
    }

    /// <inheritdoc/>
    public string Name => "activation-quantization";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        GraphView main = GraphView.Of(context.Model.MainGraph());
        IReadOnlyList<NodeProto> unsigned = UnsignedPairs.Rewrite(main, context.Model);
        foreach (NodeProto quantize in unsigned)
            context.Decisions.Rewritten(
                Name, quantize.DisplayName(), quantize.OpType, note: "its int8 values are uint8 now, the same real values");
        GuardedActivations? guarded = context.Find<GuardedActivations>();
        Dictionary<NodeProto, string?> products = FindProducts(context.Model, main, guarded);
        var ranges = new Lazy<ActivationRanges>(() => RangesOf(context));
        var region = new IntegerRegion(
            main, products.Where(static product => product.Value is null).Select(static product => product.Key), ranges, guarded);
        NodeProto[] nodes = [.. main.Graph.Node];
        Outcome[] outcomes = [.. nodes.Select(node => Decide(node, region, products)).OfType<Outcome>()];

        IReadOnlySet<string> quantized = QuantizationPairs.Insert(context.Model, main, region, ranges);
        foreach (Outcome outcome in outcomes) Log(outcome, quantized, context.Decisions);
        foreach ((NodeProto node, string? reason) in products)
            if (!nodes.Contains(node)) context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reason!);
        return new PassResult(unsigned.Count > 0 || quantized.Count > 0);
    }

    /// <summary>The ranges, from the source only once in a run of the pipeline.</summary>
    private ActivationRanges RangesOf(ModelContext context)
    {
        if (context.Find<KnownRanges>() is { } known && ReferenceEquals(known.Source, _ranges)) return known.Ranges;
        ActivationRanges ranges = _ranges.RangesOf(context);
        context.Leave(new KnownRanges(_ranges, ranges));
        return ranges;
    }

    /// <summary>The nodes with weights, in graph order, and why they are not executed in integers; null for those that are to be.</summary>
    private Dictionary<NodeProto, string?> FindProducts(ModelProto model, GraphView main, GuardedActivations? guarded)
    {
        var products = new Dictionary<NodeProto, string?>(ReferenceEqualityComparer.Instance);
        var layouts = new Dictionary<TensorProto, ChannelView>(ReferenceEqualityComparer.Instance);
        IEnumerable<NestingCandidate> candidates = NestingCandidates.Find(main, _weights, guarded);
        foreach (NestingCandidate candidate in candidates.Where(static layer => NestingCandidate.IsProduct(layer.Node)))
        {
            // The weight is nested in the layout of its first consumer.
            bool isTransposed = candidate.Reason is null
                && !layouts.TryAdd(candidate.Weight!, candidate.Channels)
                && layouts[candidate.Weight!] != candidate.Channels;
            products[candidate.Node] = candidate.Reason
                ?? WhyNoIntegers(candidate, model.OpsetVersion())
                ?? (isTransposed ? NestedForm.TurnedWeight : null)
                ?? (
                    ReferenceEquals(candidate.View, main)
                        ? null
                        : "it is in a subgraph, where activations are quantized at run time");
        }

        return products;
    }

    /// <summary>Why a product has no integer form; a ConvTranspose has that of the convolution that it becomes.</summary>
    private string? WhyNoIntegers(NestingCandidate candidate, long opset) => candidate.Node.Is("ConvTranspose")
        ? IntegerForm.WhyFloat(candidate, opset) ?? PhaseConvolution.Find(candidate, _weights, out _)
        : IntegerForm.WhyNone(candidate, opset);

    /// <summary>The decision for a node; null for a node that is not a candidate.</summary>
    private static Outcome? Decide(NodeProto node, IntegerRegion region, Dictionary<NodeProto, string?> products)
    {
        if (region.Contains(node)) return new Outcome(node, [.. region.QuantizedAround(node)], Reason: null);
        bool isCandidate = products.ContainsKey(node) || (region.IsFloatNeighbour(node) && !IsConversion(node));
        return isCandidate ? new Outcome(node, [], region.ReasonAgainst(node) ?? products[node]) : null;
    }

    /// <summary>Nodes that convert a value or read only its shape.</summary>
    private static bool IsConversion(NodeProto node) => node.Is("QuantizeLinear") || node.Is("DequantizeLinear") || node.Is("Shape");

    private void Log(Outcome outcome, IReadOnlySet<string> quantized, DecisionLog decisions)
    {
        string? reason = outcome.Reason;
        if (reason is null && !outcome.Values.Any(quantized.Contains)) reason = "the model quantizes its activations already";
        if (reason is null) decisions.Rewritten(Name, outcome.Node.DisplayName(), outcome.Node.OpType);
        else decisions.Kept(Name, outcome.Node.DisplayName(), outcome.Node.OpType, reason);
    }

    /// <summary>A node, the values that are quantized around it, and why it stays in float; null where it does not.</summary>
    private sealed record Outcome(NodeProto Node, string[] Values, string? Reason);
}
