using NestQuant.Onnx;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>Forms in which a block may come: each becomes one operator that yields the same, and a second run changes nothing.</summary>
public sealed class GroupNLFusePassTests
{
    private const float Tolerance = 1e-5f;

    [Fact]
    public void FusesABlockOfAnyBatch()
    {
        PassRun run = Fuse(new BlockForm(), 3);
        Assert.Equal(["Conv", "GroupNLExpand"], run.Ops);
        NodeProto expand = run.Graph.Node[1];
        Assert.Equal(["c", "y_shift_1", "y_period_1"], expand.Input);
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], Sources(run));
        Assert.Equal(1e-12f, expand.GetFloat("epsilon", 0));
        Assert.Equal("sine", expand.GetString("function", ""));
        Assert.Contains(run.Model.OpsetImport, static opset => opset is { Domain: "com.nestquant", Version: 1 });
        Assert.Equal("GroupNLExpand 'y' runs 14 nodes", run.About("y_norm").Note);
        Assert.Equal("ReduceL2", run.About("y_norm").Op);
    }

    [Theory]
    [InlineData(new[] { 8 }, 1)]
    [InlineData(new[] { 8 }, 3)]
    [InlineData(new[] { 2, 2, 2, 2 }, 1)]
    [InlineData(new[] { 2, 2, 2, 2 }, 3)]
    [InlineData(new[] { 4, 2, 2 }, 2)]
    [InlineData(new[] { 3, 2, 2 }, 1)]
    [InlineData(new[] { 1 }, 1)]
    public void FusesAnyGroupsAndCopies(int[] groups, int copies)
    {
        var form = new BlockForm { Groups = groups, Copies = copies };
        Assert.Equal(["Conv", "GroupNLExpand"], Fuse(form, 2).Ops);
    }

    [Fact]
    public void ARemainderGoesToTheFirstGroup() => Assert.Equal(
        [0, 1, 2, 0, 1, 2, 3, 4, 3, 4], Sources(Fuse(new BlockForm { Groups = [3, 2], Copies = 2 }, 1)));

    [Theory]
    [InlineData(ShuffleForm.ConstantShapes, 1)]
    [InlineData(ShuffleForm.ComputedShapes, 3)]
    [InlineData(ShuffleForm.Gather, 2)]
    public void FusesAChannelShuffle(ShuffleForm shuffle, long batch)
    {
        PassRun run = Fuse(new BlockForm { Shuffle = shuffle }, batch);
        Assert.Equal(["Conv", "GroupNLExpand"], run.Ops);
        Assert.Equal(shuffle == ShuffleForm.Gather ? [0, 2, 4, 6, 1, 3, 5, 7] : [0, 4, 1, 5, 2, 6, 3, 7], Sources(run));
    }

    [Theory]
    [InlineData(NormShape.Computed)]
    [InlineData(NormShape.Constant)]
    [InlineData(NormShape.Broadcast)]
    public void FusesAnyShapeOfTheNorm(NormShape norm) =>
        Assert.Equal(["Conv", "GroupNLExpand"], Fuse(new BlockForm { Norm = norm }, 2).Ops);

    [Theory]
    [InlineData(11, false)]
    [InlineData(13, true)]
    [InlineData(18, false)]
    [InlineData(20, true)]
    public void FusesAnyOperatorSet(long opset, bool max) =>
        Assert.Equal(["Conv", "GroupNLExpand"], Fuse(new BlockForm { Opset = opset, MaxInsteadOfClip = max }, 2).Ops);

    [Theory]
    [InlineData("c = ConvTranspose(x, V)")]
    [InlineData("c0 = Conv(x, W)\nc = Relu(c0)")]
    [InlineData("c0 = Add(x, x)\nc1 = Conv(c0, W, B)\nc = Clip(c1)")]
    public void FusesBehindAnyProducerOfKnownChannels(string producer)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", -1, 3, 4, 4).Random("W", 8, 3, 1, 1).Random("V", 3, 8, 1, 1).Random("B", 8);
        foreach (string line in producer.Split('\n')) graph.Node(line);
        Assert.Contains("GroupNLExpand", Fuse(new BlockForm().AddTo(graph, "c").Output("y").Model(), 2).Ops);
    }

    [Fact]
    public void FusesBehindAGraphInput()
    {
        ModelProto model = new BlockForm().AddTo(new GraphBuilder().Input("x", -1, 8, 4, 4), "x").Output("y").Model();
        Assert.Equal(
            ["GroupNLExpand"], PassRun.Preserving(new GroupNLFusePass(), model, Tolerance, ("x", TensorValue.Random(2, 8, 4, 4))).Ops);
    }

    /// <summary>A pixel without signal is divided by epsilon, and what is not finite spreads over its own pixel only.</summary>
    [Theory]
    [InlineData(0f)]
    [InlineData(1e-20f)]
    [InlineData(1e20f)]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void ExtremeSeedsYieldTheSame(float value)
    {
        ModelProto source = new BlockForm().AddTo(new GraphBuilder().Input("x", -1, 8, 4, 4), "x").Output("y").Model(),
            fused = ModelRunner.Clone(source);
        Assert.True(PassRun.Of(new GroupNLFusePass(), fused).Changed);
        float[] values = TensorValue.Random(2, 8, 4, 4).Floats;
        for (int channel = 0; channel < 8; channel++) values[(channel * 16) + 5] = channel % 3 == 0 ? value : 0;
        TensorValue x = TensorValue.Of([2, 8, 4, 4], values);
        foreach ((float expected, float actual) in ModelRunner.Run(source, ("x", x))["y"]
                .Floats.Zip(ModelRunner.Run(fused, ("x", x))["y"].Floats))
            Assert.True(expected.Equals(actual) || MathF.Abs(expected - actual) <= Tolerance, $"{expected} became {actual}");
    }

    [Fact]
    public void FusesBehindAGroupedConvolution()
    {
        var form = new BlockForm { Groups = [4, 4] };
        GraphBuilder graph = new GraphBuilder().Input("x", -1, 4, 4, 4).Random("W", 8, 1, 3, 3)
            .Node("c = Conv(x, W)", AttributeProto.Int("group", 4), AttributeProto.IntList("pads", 1, 1, 1, 1));
        PassRun run = PassRun.Preserving(
            new GroupNLFusePass(), form.AddTo(graph, "c").Output("y").Model(), Tolerance, ("x", TensorValue.Random(2, 4, 4, 4)));
        Assert.Equal(["Conv", "GroupNLExpand"], run.Ops);
    }

    [Fact]
    public void ConstantsMayComeFirstAndBeScalars()
    {
        GraphBuilder graph = Normalised().Floats("shift", [], -1.5f).Floats("period", [1], 1.25f)
            .Node("a = Add(shift, n)")
                .Node("b = Mul(period, a)")
                .Node("s = Sin(b)")
                .Node("y = Concat(n, s)", AttributeProto.Int("axis", -3));
        PassRun run = Fuse(graph.Output("y").Model(), 2);
        Assert.Equal(
            [1.5f, 1.5f, 1.5f, 1.5f, 1.5f, 1.5f, 1.5f, 1.5f],
            run.Graph.Initializer.Find(tensor => tensor.Name == run.Graph.Node[1].Input[1])!.ToFloats());
    }

    [Fact]
    public void ShiftOrPeriodMayBeMissing()
    {
        GraphBuilder graph = Normalised().Floats("period", [8, 1, 1], 1, 2, 3, 4, 5, 6, 7, 8)
            .Node("b = Mul(n, period)").Node("s = Sin(b)").Node("t = Sin(n)").Node("y = Concat(n, s, t)", AttributeProto.Int("axis", 1));
        Assert.Equal(["Conv", "GroupNLExpand"], Fuse(graph.Output("y").Model(), 2).Ops);
    }

    [Fact]
    public void MapsMayBeSlicedAndLeftOut()
    {
        GraphBuilder graph = Normalised().Int64s("start", 2).Int64s("end", -1).Int64s("channels", 1)
            .Node("some = Slice(n, start, end, channels)").Node("s = Sin(some)").Node("y = Concat(n, s)", AttributeProto.Int("axis", 1));
        Assert.Equal([2, 3, 4, 5, 6], Sources(Fuse(graph.Output("y").Model(), 2)));
    }

    [Fact]
    public void TwoBlocksInARow()
    {
        GraphBuilder graph = new BlockForm { Result = "h" }.AddTo(new BlockForm().Seed(new GraphBuilder(), "c"), "c")
            .Random("V", 8, 16, 1, 1)
            .Node("d = Conv(h, V)");
        PassRun run = Fuse(new BlockForm().AddTo(graph, "d").Output("y").Model(), 2);
        Assert.Equal(["Conv", "GroupNLExpand", "Conv", "GroupNLExpand"], run.Ops);
    }

    /// <summary>The same seeds may be read by others, and by another block, and their shape by anybody.</summary>
    [Fact]
    public void TheSeedsStayForOthers()
    {
        GraphBuilder graph = new BlockForm()
            .AddTo(new BlockForm().Seed(new GraphBuilder(), "c"), "c")
            .Node("z = Relu(c)")
            .Node("size = Shape(c)");
        graph = new BlockForm { Result = "v", Groups = [8] }.AddTo(graph, "c");
        PassRun run = Fuse(graph.Output("y", "z", "v", "size").Model(), 2);
        Assert.Equal(["Conv", "GroupNLExpand", "Relu", "Shape", "GroupNLExpand"], run.Ops);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FusesInABody(bool condition)
    {
        var form = new BlockForm { Result = "t" };
        GraphBuilder then = form.AddTo(new GraphBuilder("then"), "h").Output("t");
        GraphBuilder otherwise = new BlockForm { Result = "e", Groups = [8] }.AddTo(new GraphBuilder("else"), "h").Output("e");
        ModelProto model = form.Seed(new GraphBuilder(), "h").If("y", then, otherwise).Output("y").Model();
        PassRun run = PassRun.Preserving(
            new GroupNLFusePass(), model, Tolerance, ("x", TensorValue.Random(2, 3, 4, 4)), ("c", TensorValue.OfBool(condition)));
        Assert.Equal(["Conv", "If", "GroupNLExpand", "GroupNLExpand"], run.Ops);
    }

    [Fact]
    public void AModelWithoutABlockStaysAsItIs()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 3, 4, 4)
            .Random("W", 8, 3, 1, 1)
            .Node("c = Conv(x, W)")
            .Node("s = Sin(c)")
            .Node("y = Relu(s)")
            .Output("y");
        PassRun run = PassRun.Of(new GroupNLFusePass(), graph.Model());
        Assert.False(run.Changed);
        Assert.Empty(run.Decisions);
        Assert.DoesNotContain(run.Model.OpsetImport, static opset => opset.Domain == "com.nestquant");
    }

    [Fact]
    public void ANormalisationAloneIsNoCandidate()
    {
        PassRun run = PassRun.Of(new GroupNLFusePass(), Normalised().Node("y = Relu(n)").Output("y").Model());
        Assert.False(run.Changed);
        Assert.Empty(run.Decisions);
    }

    /// <summary>Normalised maps n of 8 channels.</summary>
    private static GraphBuilder Normalised() => new BlockForm { Norm = NormShape.Broadcast }.Seed(new GraphBuilder(), "c")
        .Floats("epsilon", [], 1e-12f)
            .Node("norm = ReduceL2(c)", AttributeProto.IntList("axes", 1))
            .Node("bounded = Clip(norm, epsilon)")
            .Node("n = Div(c, bounded)");

    private static long[] Sources(PassRun run) => run.Graph.Node[1].GetInts("source")!;

    private static PassRun Fuse(BlockForm form, long batch) => Fuse(form.Model(), batch);

    private static PassRun Fuse(ModelProto model, long batch) =>
        PassRun.Preserving(new GroupNLFusePass(), model, Tolerance, ("x", TensorValue.Random(batch, 3, BlockForm.Side, BlockForm.Side)));
}
