using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Calibration;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;
using static NestQuant.Passes.Tests.Nesting.Calibrated.CalibratedCompile;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>
/// Every form of layer: a bias of its own gives its outputs the mean of the float model's, and they are nearer to those than without data.
/// </summary>
[Collection(SequentialTests.Name)]
public sealed class CalibratedLayerTests
{
    private const int Bits = 3;

    /// <summary>Samples whose features have means and depend on each other.</summary>
    private static readonly float[] Values = Features(Samples * 32);

    public static TheoryData<string> Products =>
    [
        "y = MatMul(x, w)",
        "y = Gemm(x, w)",
        "y = Gemm(x, w, b)",
        "y = Gemm(x, w, row)",
        "y = Gemm(x, w, one)",
    ];

    [Theory]
    [MemberData(nameof(Products))]
    public void Products_keep_their_means(string node) => AssertBetter(Matrix(node), "y");

    [Theory]
    [InlineData(0.5f, 1)]
    [InlineData(1, 3)]
    [InlineData(-2, 0.25f)]
    public void Factors_of_a_Gemm_count(float alpha, float beta)
    {
        AssertBetter(Matrix("y = Gemm(x, w, b)", AttributeProto.Float("alpha", alpha), AttributeProto.Float("beta", beta)), "y");
        AssertBetter(Matrix("y = Gemm(x, w)", AttributeProto.Float("alpha", alpha), AttributeProto.Float("beta", beta)), "y");
    }

    [Fact]
    public void A_product_before_an_addition_keeps_its_mean() =>
        AssertBetter(Matrix("a = MatMul(x, w)").Node("y = Add(a, b)"), "y");

    [Theory]
    [InlineData(1, 8)]
    [InlineData(2, 4)]
    [InlineData(8, 1)]
    public void Convolutions_keep_their_means(int groups, int inner)
    {
        foreach (string node in (string[])["y = Conv(x, w)", "y = Conv(x, w, b)"])
            AssertBetter(
                new GraphBuilder()
                    .Input("x", -1, 8, 2, 2)
                    .Random("w", 8, inner, 3, 3)
                    .Random("b", 8)
                    .Node(node, AttributeProto.Int("group", groups), AttributeProto.IntList("pads", [1, 1, 1, 1]))
                    .Output("y"),
                "y",
                [8, 2, 2]);
    }

    [Fact]
    public void Later_layers_make_up_for_earlier_ones() =>
        AssertBetter(
            Matrix("a = Gemm(x, w, b)").Node("r = Relu(a)").Random("v", 16, 4).Node("y = MatMul(r, v)"),
            "y");

    [Fact]
    public void Readers_of_one_weight_have_biases_of_their_own()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", -1, 32)
            .Random("w", 32, 32)
            .Node("first: a = MatMul(x, w)")
            .Node("r = Relu(a)")
            .Node("second: b = MatMul(r, w)")
            .Output("a", "b");
        AssertBetter(graph, "a");
        AssertBetter(graph, "b");
    }

    [Fact]
    public void A_bias_that_is_not_constant_stays() => AssertBetter(
        new GraphBuilder().Input("x", -1, 32).Random("w", 32, 32).Node("n = Neg(x)").Node("y = Gemm(x, w, n)").Output("y"),
        "y",
        mean: false);

    [Fact]
    public void What_cannot_be_calibrated_is_rounded_without_data_and_says_why()
    {
        GraphProto body = new GraphBuilder("body").Node("inner: t = MatMul(x, w)").Output("t").Graph;
        GraphProto other = new GraphBuilder("other").Node("e = Neg(h)").Output("e").Graph;
        GraphBuilder graph = new GraphBuilder()
            .Input("x", -1, 32)
            .Random("w", 32, 32)
            .Random("h", 1, 32)
            .Random("k", 32, 4, 3)
            .Random("c", 1, 32)
            .Random("v", 32, 32)
            .Int64s("shape", 1, 32, -1)
            .Node("mean = ReduceMean(x)")
            .Node("positive = Greater(mean, mean)")
            .Node("q = If(positive)", AttributeProto.Graph("then_branch", body), AttributeProto.Graph("else_branch", other))
            .Node("s = Reshape(q, shape)")
            .Node("up: y = ConvTranspose(s, k)")
            .Node("fixed: z = MatMul(c, v)")
            .Output("y", "z");
        using ArrayData data = Data([32]);

        var context = new ModelContext(graph.Model());
        new NestingPass(Weights("8:3", data), ActivationMode.WeightOnly).Run(context);

        string? Note(string node) => Assert.Single(context.Decisions.Decisions, decision => decision.Node == node).Note;
        Assert.Contains("rounded without data: it is in a subgraph", Note("inner"), StringComparison.Ordinal);
        Assert.Contains("rounded without data: there is no calibrated rounding for this Conv", Note("up"), StringComparison.Ordinal);
        Assert.Contains("rounded without data: its input is a constant", Note("fixed"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_subgraph_may_have_a_weight_of_its_own()
    {
        GraphProto then = new GraphBuilder("then").Random("own", 16, 16).Node("inner: t = MatMul(a, own)").Output("t").Graph;
        GraphProto otherwise = new GraphBuilder("else").Node("e = Neg(a)").Output("e").Graph;
        GraphBuilder graph = Matrix("first: a = MatMul(x, w)")
            .Constant(TensorProto.FromBytes("yes", TensorDataType.Bool, [], [1]))
            .Node("y = If(yes)", AttributeProto.Graph("then_branch", then), AttributeProto.Graph("else_branch", otherwise));
        using ArrayData data = Data([32]);

        Assert.Equal(2, NestedOperator.Of(Nested(graph, Weights("8:3", data))).Count);
    }

    /// <summary>The operator that gives a bias has no X, whose rank others keep.</summary>
    [Fact]
    public void The_rest_of_a_compiled_model_can_be_compiled_with_static_activations()
    {
        GraphBuilder graph = Matrix("first: a = MatMul(x, w)").Random("v", 16, 16).Node("second: y = MatMul(a, v)");
        using ArrayData data = Data([32]);
        ModelProto model = Nested(graph, Weights("8:3", data) with { Exclude = ["second"] });

        CompileResult result = NestQuantCompiler.Compile(model, new CompilerOptions
        {
            Weights = new WeightOptions { Bits = new NestedBits(8, 6) },
            Activations = new ActivationOptions { Mode = ActivationMode.Static, Ranges = new DataFreeRanges() },
        });
        Assert.Equal(2, NestedOperator.Of(result.Model).Count);
    }

    [Fact]
    public void A_rule_rounds_a_layer_without_data()
    {
        GraphBuilder graph = Matrix("first: a = MatMul(x, w)").Random("v", 16, 16).Node("second: y = MatMul(a, v)");
        using ArrayData data = Data([32]);
        WeightOptions adaptive = Weights("8:3", data) with { Calibration = null }, mixed = Weights("8:3", data) with
        {
            Rules = [new WeightRule { Name = "first", SplitRounding = WeightRounding.Adaptive }],
        };

        NestedOperator[] plain = [.. NestedOperator.Of(Nested(graph, adaptive))];
        NestedOperator[] rounded = [.. NestedOperator.Of(Nested(graph, mixed))];
        Assert.Equal(plain[0].Integers(Bits).ToArray(), rounded[0].Integers(Bits).ToArray());
        Assert.NotEqual(plain[1].Integers(Bits).ToArray(), rounded[1].Integers(Bits).ToArray());
        Assert.Equal(plain[1].Integers(8).ToArray(), rounded[1].Integers(8).ToArray());
    }

    /// <summary>At 4 bits the weight of 8:3 is at 3, at 5 that of 6:5:2 at 5.</summary>
    [Fact]
    public void Weights_of_different_levels_are_rounded_for_each_other()
    {
        GraphBuilder graph = Matrix("first: a = MatMul(x, w)").Random("v", 16, 16).Node("second: y = MatMul(a, v)");
        WeightRule[] rules = [new WeightRule { Name = "second", Bits = NestedBits.Parse("6:5:2") }];
        AssertBetter(graph, "y", rules: rules, bits: 5);
        AssertBetter(graph, "y", rules: rules, bits: 2);
    }

    private static GraphBuilder Matrix(string node, params AttributeProto[] attributes) => new GraphBuilder()
        .Input("x", -1, 32)
        .Random("w", 32, 16)
        .Random("b", 16)
        .Random("row", 1, 16)
        .Random("one", 1)
        .Node(node, attributes)
        .Output("y");

    private static void AssertBetter(
        GraphBuilder graph, string output, long[]? shape = null, bool mean = true, WeightRule[]? rules = null, int bits = Bits)
    {
        using ArrayData data = Data(shape ?? [32]);
        var x = TensorValue.Of([Samples, .. shape ?? [32]], Values);
        TensorValue expected = ModelRunner.Run(graph.Model(), ("x", x))[output];
        foreach (WeightScheme scheme in Enum.GetValues<WeightScheme>())
        {
            WeightOptions weights = Weights("8:3", data) with { Scheme = scheme, Rules = rules ?? [] };
            float[] Result(WeightOptions options) =>
                ModelRunner.Run(Nested(graph, options), ("x", x), ("nest_bits", TensorValue.OfInt32([], bits)))[output].Floats;
            float[] actual = Result(weights);
            double without = Sqnr(expected.Floats, Result(weights with { Calibration = null })), with = Sqnr(expected.Floats, actual);
            Assert.True(with > without, FormattableString.Invariant($"{scheme}: {with:F1} dB, {without:F1} dB without data"));
            if (!mean) continue;
            float[] means = Means(expected.Floats, expected.Shape), found = Means(actual, expected.Shape);
            Closeness.AssertClose(means, found, 1e-4f);
        }
    }

    private static ModelProto Nested(GraphBuilder graph, WeightOptions weights)
    {
        ModelProto model = ModelRunner.Clone(graph.Model());
        new NestingPass(weights, ActivationMode.WeightOnly).Run(new ModelContext(model));
        return model;
    }

    /// <summary>Means over samples and positions of [samples, channels, ...].</summary>
    private static float[] Means(float[] values, long[] shape)
    {
        int channels = (int)shape[1], pixels = (int)shape.Skip(2).Aggregate(1L, static (product, extent) => product * extent);
        var sums = new double[channels];
        for (int i = 0; i < values.Length; i++) sums[i / pixels % channels] += values[i];
        return Array.ConvertAll(sums, sum => (float)(sum * channels / values.Length));
    }

    private static ArrayData Data(long[] shape) => new([Samples, .. shape], Values);

    private static float[] Features(int count)
    {
        var random = new Random(3);
        var values = new float[count];
        float last = 0;
        for (int i = 0; i < count; i++) values[i] = last = (0.7f * last) + random.NextSingle() - 0.2f;
        return values;
    }
}
