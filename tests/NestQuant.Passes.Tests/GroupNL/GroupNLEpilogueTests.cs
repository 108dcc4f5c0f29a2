using NestQuant.Onnx;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>What follows a block moves into the operator where it can, and stays where it cannot.</summary>
public sealed class GroupNLEpilogueTests
{
    private const int Channels = 16;

    [Fact]
    public void BatchNormBecomesScaleAndBias()
    {
        PassRun run = Fuse(
            Block().Node("y = BatchNormalization(h, gamma, beta, mean, var)", AttributeProto.Float("epsilon", 0.01f)).Output("y"));
        Assert.Equal(["Conv", "GroupNLExpand"], run.Ops);
        Assert.Equal(5, run.Graph.Node[1].Input.Count);
        Assert.Equal("y", run.Graph.Node[1].Output[0]);
        Assert.Equal("none", run.Graph.Node[1].GetString("activation", "none"));
        Assert.EndsWith("runs 14 nodes, BatchNormalization 'y'", run.About("h_norm").Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("y = Relu(g)", "clip", 0f, null)]
    [InlineData("y = Clip(g, zero, six)", "clip", 0f, 6f)]
    [InlineData("y = Clip(g, , six)", "clip", null, 6f)]
    [InlineData("y = Clip(g, zero)", "clip", 0f, null)]
    [InlineData("y = HardSwish(g)", "hardswish", null, null)]
    public void BatchNormAndActivation(string activation, string name, float? low, float? high)
    {
        PassRun run = Fuse(Block().Node("g = BatchNormalization(h, gamma, beta, mean, var)").Node(activation).Output("y"));
        Assert.Equal(["Conv", "GroupNLExpand"], run.Ops);
        NodeProto expand = run.Graph.Node[1];
        Assert.Equal(name, expand.GetString("activation", "none"));
        Assert.Equal(low, expand.GetAttribute("activation_min")?.F);
        Assert.Equal(high, expand.GetAttribute("activation_max")?.F);
    }

    [Theory]
    [InlineData("y = Relu(h)")]
    [InlineData("y = HardSwish(h)")]
    public void AnActivationAlone(string activation) =>
        Assert.Equal(["Conv", "GroupNLExpand"], Fuse(Block().Node(activation).Output("y")).Ops);

    /// <summary>HardSwish as operator sets before 14 write it.</summary>
    [Theory]
    [InlineData("y = Mul(g, gate)")]
    [InlineData("y = Mul(gate, g)")]
    public void AGateIsHardSwish(string product)
    {
        PassRun run = Fuse(Gated(1f / 6, 0.5f).Node(product).Output("y"));
        Assert.Equal(["Conv", "GroupNLExpand"], run.Ops);
        Assert.Equal("hardswish", run.Graph.Node[1].GetString("activation", "none"));
        Assert.EndsWith(
            "runs 14 nodes, BatchNormalization 'g', HardSigmoid 'gate', Mul 'y'", run.About("h_norm").Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.2f, 0.5f, "y = Mul(g, gate)", "")]
    [InlineData(1f / 6, 0.4f, "y = Mul(g, gate)", "")]
    [InlineData(1f / 6, 0.5f, "y = Mul(gate, gate)", "z = Abs(g)")]
    [InlineData(1f / 6, 0.5f, "y = Add(g, gate)", "")]
    [InlineData(1f / 6, 0.5f, "y = Mul(g, gate)", "z = Abs(gate)")]
    [InlineData(1f / 6, 0.5f, "y = Mul(g, gate)", "z = Abs(g)")]
    public void OtherGatesStay(float alpha, float beta, string product, string more)
    {
        GraphBuilder graph = Gated(alpha, beta).Node(product);
        PassRun run = Fuse(more.Length > 0 ? graph.Node(more).Output("y", "z") : graph.Output("y"));
        Assert.Contains("HardSigmoid", run.Ops);
        Assert.Equal("none", run.Graph.Node[1].GetString("activation", "none"));
    }

    [Fact]
    public void AnOldClipHasItsBoundsAsAttributes()
    {
        var form = new BlockForm { Result = "h", Opset = 9 };
        GraphBuilder graph = form.Seed(new GraphBuilder(), "c").Node("norm = ReduceL2(c)", AttributeProto.IntList("axes", 1))
            .Node("bounded = Clip(norm)", AttributeProto.Float("min", 1e-12f))
                .Node("n = Div(c, bounded)")
                .Node("s = Sin(n)")
                .Node("h = Concat(n, s)", AttributeProto.Int("axis", 1))
            .Node("y = Clip(h)", AttributeProto.Float("min", -0.5f), AttributeProto.Float("max", 0.25f));
        PassRun run = Fuse(graph.Output("y"), opset: 9);
        Assert.Equal(["Conv", "GroupNLExpand"], run.Ops);
        Assert.Equal(0.25f, run.Graph.Node[1].GetFloat("activation_max", 0));
    }

    [Theory]
    [InlineData("y = Clip(h, six, zero)", "Clip")]
    [InlineData("y = Clip(h, varying)", "Clip")]
    [InlineData("y = Sigmoid(h)", "Sigmoid")]
    [InlineData("y = BatchNormalization(h, varying16, beta, mean, var)", "BatchNormalization")]
    public void OthersStay(string next, string op)
    {
        PassRun run = PassRun.Of(new GroupNLFusePass(), Block().Input("varying").Input("varying16", 16).Node(next).Output("y").Model());
        Assert.Equal(["Conv", "GroupNLExpand", op], run.Ops);
    }

    [Fact]
    public void TrainingStays()
    {
        GraphBuilder graph = Block()
            .Node("y, m, v = BatchNormalization(h, gamma, beta, mean, var)", AttributeProto.Int("training_mode", 1))
            .Output("y");
        Assert.Equal(["Conv", "GroupNLExpand", "BatchNormalization"], PassRun.Of(new GroupNLFusePass(), graph.Model()).Ops);
    }

    [Fact]
    public void WithOtherReadersOfTheMapsNothingMoves()
    {
        PassRun run = Fuse(Block().Node("y = Relu(h)").Node("z = Abs(h)").Output("y", "z"));
        Assert.Equal(["Conv", "GroupNLExpand", "Relu", "Abs"], run.Ops);
    }

    [Fact]
    public void AnOutputOfTheGraphKeepsItsValue()
    {
        PassRun run = Fuse(Block().Node("y = Relu(h)").Output("y", "h"));
        Assert.Equal(["Conv", "GroupNLExpand", "Relu"], run.Ops);
    }

    [Fact]
    public void OneNormAndOneActivationMove()
    {
        PassRun run = Fuse(
            Block().Node("g = Relu(h)").Node("k = BatchNormalization(g, gamma, beta, mean, var)").Node("y = Relu(k)").Output("y"));
        Assert.Equal(["Conv", "GroupNLExpand", "BatchNormalization", "Relu"], run.Ops);
    }

    private static GraphBuilder Gated(float alpha, float beta) => Block().Node("g = BatchNormalization(h, gamma, beta, mean, var)")
        .Node("gate = HardSigmoid(g)", AttributeProto.Float("alpha", alpha), AttributeProto.Float("beta", beta));

    private static GraphBuilder Block()
    {
        var form = new BlockForm { Result = "h" };
        return form.AddTo(form.Seed(new GraphBuilder(), "c"), "c")
            .Random("gamma", Channels)
            .Random("beta", Channels)
            .Random("mean", Channels)
            .Floats("var", [Channels], [.. Enumerable.Range(1, Channels).Select(static i => i / 8f)])
                .Floats("zero", [], 0)
                .Floats("six", [], 6);
    }

    private static PassRun Fuse(GraphBuilder graph, long opset = 17) =>
        PassRun.Preserving(
            new GroupNLFusePass(), graph.Model(opset), 1e-5f, ("x", TensorValue.Random(2, 3, BlockForm.Side, BlockForm.Side)));
}
