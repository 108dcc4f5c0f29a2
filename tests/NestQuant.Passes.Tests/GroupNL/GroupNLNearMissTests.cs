using NestQuant.Compiler.Onnx;
using NestQuant.Compiler.Tests.Graph;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Tests.Models;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>What looks like a GroupNL block and is none stays as it is, and the decision says why.</summary>
public sealed class GroupNLNearMissTests
{
    /// <summary>One changed line of a block, and a part of the reason that must be given.</summary>
    [Theory]
    [InlineData("norm", "norm = ReduceL2(x)", "the norm is that of 'x'")]
    [InlineData("bounded", "bounded = Clip(norm, one_low)", "not positive")]
    [InlineData("bounded", "bounded = Clip(norm, varying)", "is not a single constant")]
    [InlineData("bounded", "bounded = Clip(norm, epsilon, epsilon)", "is not a single constant")]
    [InlineData("bounded", "bounded = Max(norm, epsilon, varying)", "is not a single constant")]
    [InlineData("n", "n = Div(c, norm)", "the norm has no lower bound")]
    [InlineData("a", "a = Sub(n, varying)", "its shift 'varying' is not a float32 constant")]
    [InlineData("a", "a = Sub(shift, n)", "subtracts the maps")]
    [InlineData("a", "a = Sub(n, n)", "combines the maps with each other")]
    [InlineData("a", "a = Sub(n, spatial)", "is not one value for each of 4 channels")]
    [InlineData("a", "a = Div(n, shift)", "also used by Div 'a'")]
    [InlineData("b", "b = Mul(a, varying)", "its period 'varying' is not a float32 constant")]
    [InlineData("b", "b = Add(a, shift)", "comes after another factor or function")]
    [InlineData("s", "h = Sin(b)\ns = Sin(h)", "comes after another Sin")]
    [InlineData("s", "h = Sin(b)\ns = Mul(h, shift)", "comes after another factor or function")]
    [InlineData("y", "y = Concat(s, n)", "no Concat joins")]
    [InlineData("y", "y = Concat(n, s, x4)", "joins them with others")]
    [InlineData("y", "y = Add(n, s)", "combines the maps with each other")]
    [InlineData("y", "y = Concat(n, s)\nz = Relu(n)", "its inner value 'n' is also used by Relu 'z'")]
    [InlineData("y", "y = Concat(n, s)\nz = Identity(s)", "its inner value 's' is also used by Identity 'z'")]
    [InlineData("y", "z = Relu(a)\ny = Concat(n, s)", "also used by Relu 'z'")]
    [InlineData("y", "y = Concat(n, s)\nz = Shape(s)", "its inner value 's' is also used by Shape 'z'")]
    public void AChangedLineKeepsTheBlock(string node, string replacement, string reason)
    {
        GraphBuilder graph = Block();
        int index = graph.Graph.Node.FindIndex(existing => existing.Output[0] == node);
        NodeProto changed = graph.Graph.Node[index];
        graph.Graph.Node.RemoveAt(index);
        foreach (string line in replacement.Split('\n').Reverse())
        {
            NodeProto parsed = GraphBuilder.Parse(line);
            if (parsed.OpType == changed.OpType) parsed.Attribute.AddRange(changed.Attribute);
            graph.Graph.Node.Insert(index, parsed);
        }

        bool second = replacement.Contains("z = ", StringComparison.Ordinal);
        Keeps(second ? graph.Output("y", "z") : graph.Output("y"), reason);
    }

    [Theory]
    [InlineData(2, "axis 2, not over the channels")]
    [InlineData(-1, "axis -1, not over the channels")]
    public void ANormOverAnotherAxisKeepsTheBlock(long axis, string reason)
    {
        GraphBuilder graph = Block().Output("y");
        graph.Graph.Node.Find(static node => node.OpType == "ReduceL2")!.SetAttribute(AttributeProto.IntList("axes", axis));
        Keeps(graph, reason);
    }

    [Fact]
    public void AnInnerValueThatIsAnOutputKeepsTheBlock() => Keeps(Block().Output("y", "b"), "its inner value 'b' is also an output");

    [Fact]
    public void AnInnerValueThatABodyReadsKeepsTheBlock()
    {
        GraphBuilder graph = Block().If("z", new GraphBuilder("then").Node("t = Relu(s)").Output("t"), new GraphBuilder("else").Node("e = Abs(s)").Output("e"));
        graph.Graph.Input.RemoveAll(static input => input.Name == "c");
        graph.Input(TensorDataType.Bool, "condition").Graph.Node[^1].Input[0] = "condition";
        Keeps(graph.Output("y", "z"), "its inner value 's' is also used by If");
    }

    [Fact]
    public void UnknownChannelsKeepTheBlock()
    {
        GraphBuilder graph = new BlockForm { Groups = [4] }.AddTo(new GraphBuilder().Input("x", 2, 4, 4, 4).Node("c = Mul(x, x)"), "c");
        PassRun run = PassRun.Of(new GroupNLFusePass(), graph.Output("y").Model());
        Assert.False(run.Changed);
        Assert.Contains("does not say how many channels 'c' has", run.ReasonFor("y_norm"), StringComparison.Ordinal);
    }

    [Fact]
    public void AConvolutionOfAnotherRankKeepsTheBlock()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 3, 4, 4, 4).Random("W", 4, 3, 1, 1, 1).Node("c = Conv(x, W)")
            .Floats("epsilon", [], 1e-12f).Node("norm = ReduceL2(c)", AttributeProto.IntList("axes", 1)).Node("bounded = Clip(norm, epsilon)").Node("n = Div(c, bounded)")
            .Node("s = Sin(n)").Node("y = Concat(n, s)", AttributeProto.Int("axis", 1));
        Keeps(graph.Output("y"), "does not say how many channels 'c' has");
    }

    /// <summary>A constant shape could broadcast maps that are smaller; only what the model says of the maps' own shape counts.</summary>
    [Theory]
    [InlineData(2, false)]
    [InlineData(4, true)]
    public void ANormExpandedToAConstantShapeNeedsTheSameShape(long side, bool fuses)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 4, side, side).Int64s("shape", 2, 4, 4, 4)
            .Floats("epsilon", [], 1e-12f).Node("norm = ReduceL2(x)", AttributeProto.IntList("axes", 1)).Node("bounded = Clip(norm, epsilon)");
        graph.Graph.Input[0] = GraphBuilder.Value(TensorDataType.Float, "x", 2, 4, side == 2 ? 1 : side, side == 2 ? 1 : side);
        graph.Node("expanded = Expand(bounded, shape)").Node("n = Div(x, expanded)").Node("s = Sin(n)").Node("y = Concat(n, s)", AttributeProto.Int("axis", 1));
        if (fuses) Assert.True(PassRun.Of(new GroupNLFusePass(), graph.Output("y").Model()).Changed);
        else Keeps(graph.Output("y"), "may give the norm another shape");
    }

    [Theory]
    [InlineData(new long[] { 1, 2, 4, 8, 2 }, new long[] { 0, 2, 1, 3, 4 })]
    [InlineData(new long[] { 1, 2, 4, 4, 4 }, new long[] { 0, 1, 2, 4, 3 })]
    [InlineData(new long[] { 1, 2, 4, 2, 8 }, new long[] { 0, 2, 1, 3, 4 })]
    [InlineData(new long[] { 2, 8, 1, 2, 4 }, new long[] { 0, 2, 1, 3, 4 })]
    public void AReshapeThatMixesChannelsAndPositionsKeepsTheBlock(long[] grouped, long[] permutation)
    {
        GraphBuilder graph = new BlockForm { Shuffle = ShuffleForm.ConstantShapes }.AddTo(new BlockForm().Seed(new GraphBuilder(), "c"), "c");
        graph.Graph.Initializer.RemoveAll(static tensor => tensor.Name == "y_grouped");
        graph.Int64s("y_grouped", grouped).Graph.Node.Find(static node => node.OpType == "Transpose")!.SetAttribute(AttributeProto.IntList("perm", permutation));
        graph.Graph.Input[0] = GraphBuilder.Value(TensorDataType.Float, "x", 1, 3, 4, 4);
        Keeps(graph.Output("y"), "does more than putting the maps in another order", "y_norm");
    }

    [Fact]
    public void ASplitAlongAnotherAxisKeepsTheBlock()
    {
        GraphBuilder graph = Normalised().Int64s("halves", 2, 2).Node("p, q = Split(n, halves)", AttributeProto.Int("axis", 2)).Node("r = Sin(p)").Node("t = Sin(q)")
            .Node("s = Concat(r, t)", AttributeProto.Int("axis", 2)).Node("y = Concat(n, s)", AttributeProto.Int("axis", 1));
        Keeps(graph.Output("y"), "does not split the maps into constant sizes along the channels");
    }

    [Fact]
    public void ABlockInAFunctionIsNamed()
    {
        GraphBuilder body = new BlockForm().AddTo(new GraphBuilder(), "c");
        ModelProto model = new GraphBuilder().Input("x", 2, 8, 4, 4).Node("y = Relu(x)").Output("y").Model();
        model.Functions.Add(Functions.Of("Block", "c", "y", [.. body.Graph.Node]));
        PassRun run = PassRun.Of(new GroupNLFusePass(), model, loads: false);
        Assert.False(run.Changed);
        Assert.Contains("local function 'Block'", run.ReasonFor("y_norm"), StringComparison.Ordinal);
    }

    private static GraphBuilder Normalised() => new GraphBuilder().Input("x", 2, 4, 4, 4).Random("W", 4, 4, 1, 1).Node("c = Conv(x, W)")
        .Floats("epsilon", [], 1e-12f).Node("norm = ReduceL2(c)", AttributeProto.IntList("axes", 1)).Node("bounded = Clip(norm, epsilon)").Node("n = Div(c, bounded)");

    private static GraphBuilder Block() => Normalised().Random("shift", 1, 4, 1, 1).Random("period", 1, 4, 1, 1).Random("spatial", 1, 4, 1, 4).Floats("one_low", [], -1)
        .Input("varying").Node("x4 = Relu(x)")
        .Node("a = Sub(n, shift)").Node("b = Mul(a, period)").Node("s = Sin(b)").Node("y = Concat(n, s)", AttributeProto.Int("axis", 1));

    private static void Keeps(GraphBuilder graph, string reason, string candidate = "norm")
    {
        PassRun run = PassRun.Of(new GroupNLFusePass(), graph.Model());
        Assert.False(run.Changed);
        Assert.Contains(reason, run.ReasonFor(candidate), StringComparison.Ordinal);
    }
}
