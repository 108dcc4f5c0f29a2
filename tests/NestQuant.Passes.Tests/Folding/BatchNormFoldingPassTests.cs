using NestQuant.Onnx;
using NestQuant.Passes.Folding;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Folding;

public sealed class BatchNormFoldingPassTests
{
    private const float Tolerance = 1e-5f;

    [Theory]
    [InlineData("h = Conv(x, W)")]
    [InlineData("h = Conv(x, W, B)")]
    public void FoldsIntoConv(string conv)
    {
        PassRun run = Fold(
            Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3).Random("B", 6), 6)
                .Node(conv)
                .Node(Norm)
                .Output("y"),
            2,
            3,
            5,
            5);
        Assert.Equal(["Conv"], run.Ops);
        Assert.Equal("y", run.Graph.Node[0].Output[0]);
    }

    [Fact]
    public void FoldsIntoGroupedConvOfOneDimension() => Assert.Equal(["Conv"], Fold(
        Parameters(new GraphBuilder().Input("x", 2, 4, 9).Random("W", 6, 2, 3), 6)
            .Node("h = Conv(x, W)", AttributeProto.Int("group", 2))
            .Node(Norm)
            .Output("y"), 2, 4, 9).Ops);

    [Theory]
    [InlineData(1, "h = ConvTranspose(x, W)")]
    [InlineData(2, "h = ConvTranspose(x, W, B)")]
    [InlineData(4, "h = ConvTranspose(x, W)")]
    public void FoldsIntoConvTransposeWithGroups(long group, string node)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 4, 5, 5).Random("W", 4, 3, 2, 2).Random("B", 3 * group);
        PassRun run = Fold(Parameters(graph, 3 * group).Node(node, AttributeProto.Int("group", group)).Node(Norm).Output("y"), 2, 4, 5, 5);
        Assert.Equal(["ConvTranspose"], run.Ops);
    }

    [Theory]
    [InlineData(0, 1, 1, "h = Gemm(x, W)")]
    [InlineData(1, 1, 1, "h = Gemm(x, W, B)")]
    [InlineData(1, 0.5f, -2, "h = Gemm(x, W, B)")]
    [InlineData(0, -3, 0.25f, "h = Gemm(x, W, scalar)")]
    [InlineData(0, 1, 3, "h = Gemm(x, W)")]
    public void FoldsIntoGemm(long transB, float alpha, float beta, string node)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4)
            .Random("W", transB == 0 ? [4, 6] : [6, 4])
            .Random("B", 6)
            .Random("scalar", 1);
        PassRun run = Fold(
            Parameters(graph, 6)
                .Node(node, AttributeProto.Int("transB", transB), AttributeProto.Float("alpha", alpha), AttributeProto.Float("beta", beta))
                .Node(Norm)
                .Output("y"), 2, 4);
        Assert.Equal(["Gemm"], run.Ops);
    }

    /// <summary>
    /// A bias [N, 1] adds one value per row, which is no value per channel even where there are as many rows as channels.
    /// </summary>
    [Fact]
    public void ABiasPerRowStays()
    {
        PassRun run = Fold(
            Parameters(new GraphBuilder().Input("x", 6, 4).Random("W", 4, 6).Random("B", 6, 1), 6)
                .Node("h = Gemm(x, W, B)")
                .Node(Norm)
                .Output("y"),
            6,
            4);
        Assert.False(run.Changed);
        Assert.Contains("one value per channel", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Fact]
    public void ARowBiasFolds() => Assert.Equal(["Gemm"], Fold(
        Parameters(new GraphBuilder().Input("x", 2, 4).Random("W", 4, 6).Random("B", 1, 6), 6)
            .Node("h = Gemm(x, W, B)")
            .Node(Norm)
            .Output("y"), 2, 4).Ops);

    [Fact]
    public void ASharedWeightIsCopiedNotChanged()
    {
        GraphBuilder graph = Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3), 6)
            .Node("z = Conv(x, W)")
            .Node("h = Conv(x, W)")
            .Node(Norm)
            .Output("y", "z");
        PassRun run = Fold(graph, 2, 3, 5, 5);
        Assert.Equal(["Conv", "Conv"], run.Ops);
        Assert.Equal("W", run.Graph.Node[0].Input[1]);
        Assert.NotEqual("W", run.Graph.Node[1].Input[1]);
    }

    [Fact]
    public void ASharedBiasIsCopiedNotChanged()
    {
        GraphBuilder graph = Parameters(
            new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3).Random("V", 6, 3, 3, 3).Random("B", 6), 6)
            .Node("z = Conv(x, V, B)").Node("h = Conv(x, W, B)").Node(Norm).Output("y", "z");
        Assert.Equal("B", Fold(graph, 2, 3, 5, 5).Graph.Node[0].Input[2]);
    }

    [Fact]
    public void TwoNormsInARowFoldBoth()
    {
        GraphBuilder graph = Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3), 6)
            .Node("h = Conv(x, W)")
                .Node("i = BatchNormalization(h, scale, bias, mean, variance)")
                .Node("y = BatchNormalization(i, scale, bias, mean, variance)")
                .Output("y");
        Assert.Equal(["Conv"], Fold(graph, 2, 3, 5, 5).Ops);
    }

    [Fact]
    public void FoldsInsideABodyWithoutTouchingTheOuterWeight()
    {
        GraphBuilder body = new GraphBuilder("body")
            .Node("h = Conv(v, W)", AttributeProto.IntList("pads", 1, 1, 1, 1))
            .Node("v_out = BatchNormalization(h, scale, bias, mean, variance)");
        GraphBuilder graph = Parameters(new GraphBuilder().Input("x", 1, 3, 5, 5).Random("W", 3, 3, 3, 3), 3)
            .Loop("y", "x", body, 1, 3, 5, 5)
            .Node("z = Conv(x, W)")
            .Output("y", "z");
        PassRun run = Fold(graph, 1, 3, 5, 5);
        Assert.DoesNotContain("BatchNormalization", run.Ops);
        Assert.NotEmpty(body.Graph.Initializer);
    }

    [Fact]
    public void EpsilonIsRespected()
    {
        GraphBuilder graph = Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3), 6)
            .Node("h = Conv(x, W)")
            .Node(Norm, AttributeProto.Float("epsilon", 0.5f))
            .Output("y");
        Assert.Equal(["Conv"], Fold(graph, 2, 3, 5, 5).Ops);
    }

    [Fact]
    public void OtherProducersStay()
    {
        GraphBuilder graph = Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 3, 3, 1, 1), 6)
            .Node("a = Conv(x, W)")
            .Node("h = Concat(a, x)", AttributeProto.Int("axis", 1))
            .Node(Norm)
            .Output("y");
        PassRun run = Fold(graph, 2, 3, 5, 5);
        Assert.False(run.Changed);
        Assert.Contains("Concat", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Fact]
    public void AGraphInputAsProducerStays() =>
        Assert.Contains(
            "not produced",
            Fold(
                Parameters(new GraphBuilder().Input("x", 2, 6, 5), 6)
                    .Node("y = BatchNormalization(x, scale, bias, mean, variance)")
                    .Output("y"),
                2,
                6,
                5).ReasonFor("y"),
            StringComparison.Ordinal);

    [Fact]
    public void AConvWhoseResultIsReadElsewhereStays()
    {
        PassRun run = Fold(
            Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3), 6)
                .Node("h = Conv(x, W)")
                .Node(Norm)
                .Node("z = Neg(h)")
                .Output("y", "z"),
            2,
            3,
            5,
            5);
        Assert.Contains("also used", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Fact]
    public void AConvWhoseResultIsAnOutputStays() =>
        Assert.False(
            Fold(
                Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3), 6)
                    .Node("h = Conv(x, W)")
                    .Node(Norm)
                    .Output("y", "h"),
                2,
                3,
                5,
                5).Changed);

    [Theory]
    [InlineData("W")]
    [InlineData("B")]
    [InlineData("mean")]
    public void WhatACallerMayReplaceStays(string overridable)
    {
        GraphBuilder graph = Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3).Random("B", 6), 6)
            .Input(overridable, overridable == "W" ? [6, 3, 3, 3] : [6]).Node("h = Conv(x, W, B)").Node(Norm).Output("y");
        PassRun run = Fold(graph, 2, 3, 5, 5);
        Assert.False(run.Changed);
        Assert.Contains("constant", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Fact]
    public void TrainingModeStays()
    {
        ModelProto model = Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3), 6)
            .Node("h = Conv(x, W)")
                .Node("y, m, v = BatchNormalization(h, scale, bias, mean, variance)", AttributeProto.Int("training_mode", 1))
                .Output("y")
                .Model();
        PassRun run = PassRun.Of(new BatchNormFoldingPass(), model, loads: false);
        Assert.Contains("training mode", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(6, 0, false)]
    [InlineData(6, 1, true)]
    public void TrainingModeOfOldOpsets(long opset, long isTest, bool folds)
    {
        ModelProto model = Parameters(new GraphBuilder().Input("x", 2, 3, 5, 5).Random("W", 6, 3, 3, 3), 6)
            .Node("h = Conv(x, W)")
            .Node(Norm, AttributeProto.Int("is_test", isTest))
            .Output("y")
            .Model(opset);
        Assert.Equal(folds, PassRun.Of(new BatchNormFoldingPass(), model, loads: false).Changed);
    }

    /// <summary>What ONNX Runtime computes in two steps may need factors that one step cannot hold.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1e-30f, 1e35f)]
    [InlineData(-1, 1)]
    public void FactorsThatLeaveFloatStay(float variance, float scale)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, 1, 3, 3)
            .Floats("W", [1, 1, 1, 1], 1)
            .Floats("scale", [1], scale)
            .Floats("bias", [1], 0)
            .Floats("mean", [1], 0)
            .Floats("variance", [1], variance).Node("h = Conv(x, W)").Node(Norm, AttributeProto.Float("epsilon", 0)).Output("y");
        PassRun run = PassRun.Of(new BatchNormFoldingPass(), graph.Model());
        Assert.False(run.Changed);
        Assert.Contains("overflow float32", run.ReasonFor("y"), StringComparison.Ordinal);
    }

    private const string Norm = "y = BatchNormalization(h, scale, bias, mean, variance)";

    private static GraphBuilder Parameters(GraphBuilder graph, long channels) => graph
        .Random("scale", channels).Random("bias", channels).Random("mean", channels)
        .Floats("variance", [channels], [.. Enumerable.Range(0, (int)channels).Select(static i => 0.3f + (0.2f * i))]);

    private static PassRun Fold(GraphBuilder graph, params long[] input) =>
        PassRun.Preserving(new BatchNormFoldingPass(), graph.Model(), Tolerance, ("x", TensorValue.Random(input)));
}
