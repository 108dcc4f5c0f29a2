using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Calibration;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer.ActivationQuantization;

/// <summary>Where the pairs go, whose parameters they have, what stays float and why.</summary>
public sealed class ActivationQuantizationPassTests
{
    internal static readonly (string, TensorValue) X = ("x", TensorValue.Random(2, 4, 8, 8));
    private static readonly WeightOptions Weights = new() { Bits = new NestedBits(8, 6) };

    [Fact]
    public void InputsAndResultsOfConvolutionsGetAPair()
    {
        PassRun run = Quantize(Convs("first: a = Conv(x, W)", "second: y = Conv(a, V)"));
        Assert.Equal(["QuantizeLinear", "DequantizeLinear", "Conv", "QuantizeLinear", "DequantizeLinear", "Conv"], run.Ops);
        NodeProto quantize = run.Graph.Node[3], dequantize = run.Graph.Node[4];
        Assert.Equal(["a", "a_scale", "a_zero_point"], quantize.Input);
        Assert.Equal(["a_quantized"], quantize.Output);
        Assert.Equal(["a_quantized", "a_scale", "a_zero_point"], dequantize.Input);
        Assert.Equal(["a_dequantized"], dequantize.Output);
        Assert.Equal("a_dequantized", run.Graph.Node[5].Input[0]);
        Assert.All(
            run.Graph.Initializer.Where(static tensor => tensor.Name is "a_scale" or "a_zero_point"),
            static tensor => Assert.Empty(tensor.Dims));
        Assert.Equal(TensorDataType.UInt8, run.Graph.Initializer.Single(static tensor => tensor.Name == "a_zero_point").DataType);
    }

    [Theory]
    [InlineData(1e-40f, "too narrow")]
    [InlineData(1e35f, "too wide")]
    public void ARangeThatWouldLoseItsValuesLeavesThemInFloat(float max, string reason)
    {
        ModelProto model = Convs("first: a = Conv(x, W)", "second: y = Conv(a, V)").Model();
        PassRun run = PassRun.Of(
            new ActivationQuantizationPass(Weights, new GivenRanges(new TensorRange(0, max), "x", "a")), model);
        Assert.Equal(["Conv", "Conv"], run.Ops);
        Assert.Contains(
            $"the range of 'x' cannot be used: [0, {max.ToString(CultureInfo.InvariantCulture)}] is {reason}",
            run.ReasonFor("first"),
            StringComparison.Ordinal);
        Assert.Contains(reason, run.ReasonFor("second"), StringComparison.Ordinal);
    }

    [Fact]
    public void AClampIsQuantizedOnlyBehind()
    {
        PassRun run = Quantize(
            Convs(
                "a = Conv(x, W)",
                "b = Relu(a)",
                "c = Conv(b, V)",
                "d = Conv(b, U)",
                "e = Add(c, d)",
                "f = Clip(e, , six)",
                "y = Conv(f, W2)").Floats("six", [], 6));
        Assert.Equal(["x", "b", "c", "d", "f"], Quantized(run));
    }

    [Fact]
    public void AClampOfAValueThatIsReadElsewhereIsQuantizedOnBothSides() =>
        Assert.Equal(
            ["x", "a", "b"], Quantized(Quantize(Convs("a = Conv(x, W)", "b = Relu(a)", "y = Conv(b, V)", "z = Conv(a, U)"), "y", "z")));

    [Theory]
    [InlineData("LeakyRelu")]
    [InlineData("HardSwish")]
    [InlineData("HardSigmoid")]
    [InlineData("Sigmoid")]
    [InlineData("Tanh")]
    [InlineData("Elu")]
    public void AFunctionHasParametersOfItsOwn(string function)
    {
        PassRun run = Quantize(Convs("a = Conv(x, W)", $"b = {function}(a)", "y = Conv(b, V)"));
        Assert.Equal(["x", "a", "b"], Quantized(run));
        Assert.True(run.HasInitializer("b_scale"));
    }

    [Theory]
    [InlineData("Sigmoid")]
    [InlineData("HardSigmoid")]
    public void AGateAndItsMultiplicationAreOneFunction(string gate) =>
        Assert.Equal(["x", "a", "b"], Quantized(Quantize(Convs("a = Conv(x, W)", $"g = {gate}(a)", "b = Mul(g, a)", "y = Conv(b, V)"))));

    [Fact]
    public void ASqueezeAndExcitationBlockIsQuantizedThroughout()
    {
        GraphBuilder graph = Convs(
            "a = Conv(x, W)",
            "p = GlobalAveragePool(a)",
            "q = Conv(p, K)",
            "r = Relu(q)",
            "s = Conv(r, K)",
            "t = HardSigmoid(s)",
            "b = Mul(a, t)",
            "y = Conv(b, V)");
        Assert.Equal(["x", "a", "p", "r", "s", "t", "b"], Quantized(Quantize(graph)));
    }

    [Fact]
    public void ASpatialMeanIsAPoolAndAnotherMeanIsNot()
    {
        GraphBuilder spatial = Convs("a = Conv(x, W)")
            .Node("m = ReduceMean(a)", AttributeProto.IntList("axes", 2, 3))
            .Node("y = Conv(m, K)");
        Assert.Equal(["x", "a", "m"], Quantized(Quantize(spatial)));
        GraphBuilder channels = Convs("a = Conv(x, W)")
            .Node("mean: m = ReduceMean(a)", AttributeProto.IntList("axes", 1, 3))
            .Node("y = MatMul(m, K8)")
            .Random("K8", 1, 4);
        PassRun run = Quantize(channels);
        Assert.Equal(["x", "m"], Quantized(run));
        Assert.Contains("spatial axes", run.ReasonFor("mean"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MaxPool(a)", "kernel_shape")]
    [InlineData("Transpose(a)", "perm")]
    [InlineData("Pad(a, pads)", null)]
    [InlineData("Slice(a, one, three)", null)]
    [InlineData("Reshape(a, shape)", null)]
    [InlineData("Resize(a, , scales)", null)]
    public void MovedValuesKeepTheirParameters(string node, string? attribute)
    {
        AttributeProto[] attributes = attribute switch
        {
            "kernel_shape" => [AttributeProto.IntList(attribute, 2, 2)],
            "perm" => [AttributeProto.IntList(attribute, 0, 1, 3, 2)],
            _ => [],
        };
        GraphBuilder graph = Convs("a = Conv(x, W)").Node($"b = {node}", attributes).Node("y = Conv(b, V)")
            .Int64s("pads", 0, 0, 1, 1, 0, 0, 1, 1)
                .Int64s("one", 0, 0, 1)
                .Int64s("three", 2, 4, 5)
                .Int64s("shape", 2, 4, 4, 9)
                .Floats("scales", [4], 1, 1, 2, 2);
        PassRun run = Quantize(graph);
        Assert.Equal(["x", "a", "b"], Quantized(run));
        Assert.Equal(["b", "a_scale", "a_zero_point"], run.Graph.Node.Single(static quantize => quantize.Output[0] == "b_quantized").Input);
        Assert.False(run.HasInitializer("b_scale"));
    }

    [Fact]
    public void AllPartsOfASplitHaveTheParametersOfTheWhole()
    {
        GraphBuilder graph = Convs("a = Conv(x, W)", "b, c = Split(a, halves)", "d = Sigmoid(b)", "e = Concat(c, d)", "y = Conv(e, V)")
            .Int64s("halves", 2, 2);
        graph.Graph.Node[1].Attribute.Add(AttributeProto.Int("axis", 1));
        graph.Graph.Node[3].Attribute.Add(AttributeProto.Int("axis", 1));
        PassRun run = Quantize(graph);
        Assert.Equal(["x", "a", "b", "c", "d", "e"], Quantized(run));
        Assert.Equal(
            ["x_scale", "a_scale", "a_scale", "a_scale", "d_scale", "e_scale"],
            run.Graph.Node.Where(static node => node.OpType == "QuantizeLinear").Select(static node => node.Input[1]));
    }

    [Fact]
    public void TheResultOfTheLastProductStaysFloat() =>
        Assert.Equal(
            ["x", "a", "p"],
            Quantized(
                Quantize(Convs("a = Conv(x, W)", "p = GlobalAveragePool(a)", "f = Flatten(p)", "y = Gemm(f, F)").Random("F", 4, 10)))[..3]);

    [Fact]
    public void WhatNoIntegerOperatorReadsStaysFloat()
    {
        PassRun run = Quantize(Convs("a = Conv(x, W)", "act: b = Sigmoid(a)", "soft: y = Softmax(b)"));
        Assert.Equal(["x"], Quantized(run));
        Assert.Equal("no integer operator reads its result", run.ReasonFor("act"));
        Assert.DoesNotContain(run.Decisions, static decision => decision.Node == "soft");
    }

    [Fact]
    public void AnIslandBetweenFloatOperatorsStaysFloat()
    {
        PassRun run = Quantize(Convs("s = Softmax(x)", "n = Neg(x)", "sum: a = Add(s, n)", "y = Conv(a, W)"));
        Assert.Equal(["a"], Quantized(run));
        Assert.Equal("it reads no result of an integer operator", run.ReasonFor("sum"));
    }

    [Fact]
    public void AFloatNeighbourHasItsReason()
    {
        PassRun run = Quantize(Convs("a = Conv(x, W)", "soft: b = Softmax(a)", "y = Conv(b, V)"));
        Assert.Equal(["x", "b"], Quantized(run));
        Assert.Equal("Softmax has no integer form", run.ReasonFor("soft"));
    }

    [Fact]
    public void FloatReadersOfAnIntegerResultReadItDequantizedAndThoseOfAnInputDoNot()
    {
        PassRun run = Quantize(Convs("a = Conv(x, W)", "b = Conv(a, V)", "c = Neg(a)", "d = Neg(x)", "y = Neg(b)"), "y", "c", "d");
        Assert.Equal("a_dequantized", run.Graph.Node.Single(static node => node.Output[0] == "c").Input[0]);
        Assert.Equal("x", run.Graph.Node.Single(static node => node.Output[0] == "d").Input[0]);
    }

    [Fact]
    public void AShapeIsReadFromTheQuantizedValue()
    {
        PassRun run = Quantize(Convs("a = Conv(x, W)", "s = Shape(a)", "b = Reshape(a, s)", "y = Conv(b, V)"));
        Assert.Equal("a_quantized", run.Graph.Node.Single(static node => node.OpType == "Shape").Input[0]);
    }

    [Fact]
    public void AnOutputOfTheGraphIsNotRounded()
    {
        PassRun run = Quantize(Convs("a = Conv(x, W)", "b = Conv(x, U)", "sum: c = Add(a, b)", "y = Conv(c, V)"), "c", "y");
        Assert.Equal(["x", "c"], Quantized(run));
        Assert.Contains("'c' is an output", run.ReasonFor("sum"), StringComparison.Ordinal);
    }

    [Fact]
    public void AProductWhoseResultIsAnOutputToo()
    {
        PassRun run = Quantize(Convs("a = Conv(x, W)", "y = Conv(a, V)"), "a", "y");
        Assert.Equal(["x", "a"], Quantized(run));
        Assert.Equal("a", run.Graph.Output[0].Name);
    }

    [Fact]
    public void WithoutARangeANodeStaysFloat()
    {
        PassRun run = Quantize(
            new MeasuredRanges(X) { Unknown = ["x", "b"] },
            Convs("first: a = Conv(x, W)", "act: b = Tanh(a)", "second: y = Conv(b, V)"),
            "y");
        Assert.False(run.Changed);
        Assert.Equal("no range is known for 'x'", run.ReasonFor("first"));
        Assert.Equal("no range is known for 'b'", run.ReasonFor("second"));
    }

    [Theory]
    [InlineData(float.NaN, 1)]
    [InlineData(0, float.PositiveInfinity)]
    [InlineData(2, 1)]
    public void ARangeThatIsNoneIsTheReason(float min, float max)
    {
        PassRun run = Quantize(new GivenRanges(new TensorRange(min, max), "x"), Convs("first: y = Conv(x, W)"), "y");
        Assert.False(run.Changed);
        Assert.Contains("is not a range", run.ReasonFor("first"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Pad(a, pads, , )", "mode", "reflect", null)]
    [InlineData("Pad(a, pads, one)", "mode", "constant", "not 0")]
    [InlineData("Resize(a, , scales)", "mode", "linear", null)]
    [InlineData("Resize(a, , scales)", "mode", "cubic", "cubic")]
    public void SomeFormsMoveAndOthersDoNot(string node, string attribute, string value, string? reason)
    {
        GraphBuilder graph = Convs("a = Conv(x, W)")
            .Node($"move: b = {node}".Replace(", , )", ")", StringComparison.Ordinal), AttributeProto.String(attribute, value))
            .Node("y = Conv(b, V)")
            .Int64s("pads", 0, 0, 1, 1, 0, 0, 1, 1).Floats("one", [], 1).Floats("scales", [4], 1, 1, 2, 2);
        PassRun run = Quantize(graph);
        if (reason is null) Assert.True(run.About("move").Rewritten);
        else Assert.Contains(reason, run.ReasonFor("move"), StringComparison.Ordinal);
    }

    [Fact]
    public void AnExcludedNodeStaysFloat()
    {
        ModelProto model = Convs("first: a = Conv(x, W)", "second: b = Conv(a, V)", "third: y = Conv(b, U)").Output("y").Model();
        PassRun run = Quantize(
            new ActivationQuantizationPass(Weights with { Exclude = ["second"] }, new MeasuredRanges(X)),
            model,
            X);
        Assert.Equal(["x", "b"], Quantized(run));
        Assert.Equal("excluded by 'second'", run.ReasonFor("second"));
    }

    [Fact]
    public void BodiesAreLeftToQuantizationAtRunTime()
    {
        GraphBuilder then = new GraphBuilder("then").Node("inside: t = Conv(a, V)").Output("t"),
            otherwise = new GraphBuilder("else").Node("e = Neg(a)").Output("e");
        GraphBuilder graph = Convs("a = Conv(x, W)").If("b", then, otherwise).Node("y = Conv(b, U)");
        PassRun run = Quantize(graph, [X, ("c", TensorValue.OfBool(true))], "y");
        Assert.Equal(["x", "b"], Quantized(run));
        Assert.Contains("subgraph", run.ReasonFor("inside"), StringComparison.Ordinal);
    }

    [Fact]
    public void ABodyReadsAnIntegerResultDequantized()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Neg(a)").Output("t"),
            otherwise = new GraphBuilder("else").Node("e = Abs(a)").Output("e");
        GraphBuilder graph = Convs("a = Conv(x, W)").If("b", then, otherwise).Node("y = Conv(a, V)");
        PassRun run = Quantize(graph, [X, ("c", TensorValue.OfBool(true))], "y", "b");
        Assert.Equal("a_dequantized", run.Graph.Node.Single(static node => node.OpType == "If").Subgraphs().First().Node[0].Input[0]);
    }

    [Fact]
    public void BelowOperatorSet11NothingIsQuantized()
    {
        ModelProto model = Convs("conv: y = Conv(x, W)").Output("y").Model(opset: 10);
        PassRun run = PassRun.Of(
            new ActivationQuantizationPass(Weights, new MeasuredRanges(X)), model);
        Assert.False(run.Changed);
        Assert.Contains("operator set 10", run.ReasonFor("conv"), StringComparison.Ordinal);
    }

    /// <summary>3x3 convolutions of 4 channels named W, V, U, W2, and a 1x1 K.</summary>
    internal static GraphBuilder Convs(params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4, 8, 8)
            .Random("W", 4, 4, 3, 3)
            .Random("V", 4, 4, 3, 3)
            .Random("U", 4, 4, 3, 3)
            .Random("W2", 4, 4, 3, 3)
            .Random("K", 4, 4, 1, 1);
        foreach (string node in nodes) graph.Node(node);
        return graph;
    }

    internal static PassRun Quantize(GraphBuilder graph, params string[] outputs) => Quantize(graph, [X], outputs);

    internal static PassRun Quantize(GraphBuilder graph, (string, TensorValue)[] feeds, params string[] outputs)
    {
        ModelProto model = graph.Output(outputs.Length == 0 ? ["y"] : outputs).Model();
        DeadCode.Remove(model.Graph!);
        return Quantize(Pass(new MeasuredRanges(feeds)), model, feeds);
    }

    internal static PassRun Quantize(IActivationRangeSource ranges, GraphBuilder graph, string output)
    {
        ModelProto model = graph.Output(output).Model();
        DeadCode.Remove(model.Graph!);
        return PassRun.Of(Pass(ranges), model);
    }

    /// <summary>Runs the pass and checks that it costs no more than rounding to 8 bits does.</summary>
    internal static PassRun Quantize(ActivationQuantizationPass pass, ModelProto model, params (string, TensorValue)[] feeds)
    {
        Dictionary<string, TensorValue> expected = ModelRunner.Run(model, feeds);
        PassRun run = PassRun.Of(pass, model);
        using InferenceSession session = ModelRunner.Open(run.Model, optimize: false);
        foreach ((string name, TensorValue actual) in ModelRunner.Run(session, feeds)) Closeness.AssertClose(expected[name], actual, 0.05f);
        return run;
    }

    internal static ActivationQuantizationPass Pass(IActivationRangeSource ranges) =>
        new(Weights, ranges);

    /// <summary>The values that have a pair, in graph order.</summary>
    internal static string[] Quantized(PassRun run) =>
        [.. run.Graph.Node.Where(static node => node.OpType == "QuantizeLinear").Select(static node => node.Input[0])];
}
