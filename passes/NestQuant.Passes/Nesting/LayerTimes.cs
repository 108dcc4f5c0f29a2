using NestQuant.Compiler.Reports;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Estimates the time of layers in float and nested from how often a run multiplies by each weight. What is small loses: a nested operator
/// costs more to call than one of ONNX Runtime's own, and its weights are decoded in every run.
/// </summary>
/// <remarks>
/// The constants are those of one thread of a processor with AVX2 (docs/benchmarks.md, Trained models), whatever this one is, so that the
/// same model always gets the same answer.
/// </remarks>
internal static class LayerTimes
{
    // Weights that are used once are read from memory, which takes as long as decoding them.
    private static readonly Cost Float = new(Call: 2, Product: 0.025, Weight: 0.1), FloatDepthwise = Float with { Product = 0.08 };

    private static readonly Cost WeightOnly = new(Call: 8, Product: 0.03, Weight: 0.15);

    private static readonly Cost WeightOnlyDepthwise = WeightOnly with { Product = 0.11 };

    // The weight is decoded to memory, and ONNX Runtime multiplies by what it takes for a weight that changes.
    private static readonly Cost DecodedDepthwise = new(Call: 20, Product: 1, Weight: 0.5);

    private static readonly Cost Integer = new(Call: 8, Product: 0.016, Weight: 0.1), IntegerDepthwise = Integer with { Product = 0.1 };

    // Two more nodes find the range and quantize.
    private static readonly Cost Dynamic = Integer with { Call = 12 }, DynamicDepthwise = IntegerDepthwise with { Call = 12 };

    // Nanoseconds of finding the range of a value and quantizing it.
    private const double QuantizedValue = 0.8;

    // Products of matrices have less to prepare than convolutions.
    private const double ProductSaving = 4;

    /// <summary>
    /// Estimates layers that are about to be nested; tables, recurrent layers and those of unknown shapes are left out. Null where these
    /// hold most of the weights, so that the others say little.
    /// </summary>
    public static TimeEstimate? Estimate(IReadOnlyCollection<NestingCandidate> candidates, ActivationMode activations)
    {
        var shapes = new Dictionary<GraphView, SymbolicShapes>();
        (NestingCandidate Candidate, long? Uses)[] products =
        [
            .. from candidate in candidates
               where WeightOperators.IsProduct(candidate.Node)
               select (candidate, Uses(candidate, Shapes(candidate.View)))
        ];
        long all = products.Sum(static product => product.Candidate.Weight!.ElementCount);
        long known = products.Sum(static product => product.Uses is null ? 0 : product.Candidate.Weight!.ElementCount);
        if (known == 0 || 2 * known < all) return null;
        LayerTime[] layers =
        [
            .. from product in products
               let uses = product.Uses
               where uses is not null
               let own = product.Candidate.GuardReason is null ? activations : ActivationMode.WeightOnly
               let quantized = own == ActivationMode.Dynamic ? Elements(product.Candidate, Shapes(product.Candidate.View)) : 0
               select Of(product.Candidate, uses.Value, own, quantized)
        ];
        return new TimeEstimate(
            layers.Sum(static layer => layer.Float),
            layers.Sum(static layer => layer.Nested),
            [.. layers.Where(static layer => layer.Nested > layer.Float).OrderByDescending(static layer => layer.Nested - layer.Float)]);

        SymbolicShapes Shapes(GraphView view) => shapes.TryGetValue(view, out SymbolicShapes? known) ? known : shapes[view] = new(view);
    }

    private static LayerTime Of(NestingCandidate candidate, long uses, ActivationMode activations, long quantized)
    {
        TensorProto weight = candidate.Weight!;
        bool isConvolution = candidate.Node.Is("Conv") || candidate.Node.Is("ConvTranspose");
        bool isDepthwise = isConvolution && candidate.Node.GetInt("group", 1) > 1 && weight.Dims[1] == 1;
        (Cost before, Cost after) = (activations, isDepthwise) switch
        {
            (ActivationMode.WeightOnly, false) => (Float, WeightOnly),
            (ActivationMode.WeightOnly, true) when NestedForm.WhyNoFloatForm(candidate) is not null => (FloatDepthwise, DecodedDepthwise),
            (ActivationMode.WeightOnly, true) => (FloatDepthwise, WeightOnlyDepthwise),
            (ActivationMode.Dynamic, false) => (Float, Dynamic),
            (ActivationMode.Dynamic, true) => (FloatDepthwise, DynamicDepthwise),
            (_, false) => (Float, Integer),
            (_, true) => (FloatDepthwise, IntegerDepthwise),
        };
        double saving = isConvolution ? 0 : ProductSaving;
        return new LayerTime(
            candidate.Node.DisplayName(),
            before.Of(weight.ElementCount, uses),
            after.Of(weight.ElementCount, uses) - saving + quantized * QuantizedValue / 1000);
    }

    private static long Elements(NestingCandidate candidate, SymbolicShapes shapes) =>
        shapes.Extents(candidate.Node.InputAt(0))?.Aggregate(1L, static (product, extent) => product * (extent ?? 1)) ?? 0;

    /// <summary>How often a run multiplies by each weight; null where shapes do not say. An open batch counts as one sample.</summary>
    private static long? Uses(NestingCandidate candidate, SymbolicShapes shapes)
    {
        NodeProto node = candidate.Node;
        if (node.Is("Gemm")) return shapes.Extents(node.InputAt(0)) is [{ } rows, ..] ? rows : 1;
        // Outputs of a convolution and inputs of a transposed one meet every weight; rows of a product do.
        long?[]? extents = shapes.Extents(node.Is("Conv") ? node.Output[0] : node.InputAt(0));
        if (extents is not { Length: > 1 }) return null;
        long? uses = extents[0] ?? 1;
        foreach (long? extent in node.Is("MatMul") ? extents[1..^1] : extents[2..]) uses *= extent;
        return uses;
    }

    /// <summary>What a layer costs.</summary>
    /// <param name="Call">Microseconds of a call.</param>
    /// <param name="Product">Nanoseconds of a multiply-add.</param>
    /// <param name="Weight">Nanoseconds of reading or decoding a weight.</param>
    private readonly record struct Cost(double Call, double Product, double Weight)
    {
        public double Of(long weights, long uses) => Call + weights * (Weight + uses * Product) / 1000;
    }
}
