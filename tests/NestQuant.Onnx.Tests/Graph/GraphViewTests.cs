using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Graph;

public sealed class GraphViewTests
{
    [Fact]
    public void KnowsProducersConsumersInputsAndOutputs()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2)
            .Random("k", 2)
            .Node("a, b = Split(x)")
            .Node("c = Add(a, a)")
            .Node("y = Mul(c, k)")
            .Output("y");
        GraphView view = GraphView.Of(graph.Graph);
        NodeProto split = graph.Graph.Node[0], add = graph.Graph.Node[1], mul = graph.Graph.Node[2];

        Assert.Same(split, view.Producer("b"));
        Assert.Null(view.Producer("x"));
        Assert.Equal([add, add], view.Consumers("a"));
        Assert.Empty(view.Consumers("b"));
        Assert.Equal([mul], view.Consumers("k"));
        Assert.True(view.IsInput("x") && view.IsOutput("y") && !view.IsOutput("c"));
        Assert.True(view.Defines("x") && view.Defines("k") && view.Defines("b") && !view.Defines("elsewhere"));
    }

    [Fact]
    public void ANodeThatEntersNeverHasTheNameOfAnother()
    {
        GraphView view = GraphView.Of(
            new GraphBuilder().Input("x", 2).Node("n: a = Neg(x)").Node("n_1: b = Neg(a)").Node("c = Neg(b)").Graph);
        view.InsertBefore(view.Graph.Node[2], GraphBuilder.Parse("n: d = Neg(x)"), GraphBuilder.Parse("e = Neg(x)"));
        view.Append(GraphBuilder.Parse("n: f = Neg(x)"));
        Assert.Equal(["n", "n_1", "n_2", "", "", "n_3"], view.Graph.Node.Select(static node => node.Name));
    }

    [Fact]
    public void ANodeTakesTheNameOfTheOneThatItReplaces()
    {
        GraphView view = GraphView.Of(new GraphBuilder().Input("x", 2).Node("n: a = Neg(x)").Node("m: b = Neg(a)").Graph);
        view.Replace(view.Graph.Node[0], GraphBuilder.Parse("n: a = Abs(x)"));
        view.Remove(view.Graph.Node[1]);
        view.Append(GraphBuilder.Parse("m: c = Abs(x)"));
        Assert.Equal(["n", "m"], view.Graph.Node.Select(static node => node.Name));
    }

    [Fact]
    public void AnOverridableInitializerIsNoConstant()
    {
        GraphView view = GraphView.Of(new GraphBuilder().Input("k", 2).Random("k", 2).Random("l", 2).Graph);
        Assert.NotNull(view.Initializer("k"));
        Assert.Null(view.Constant("k"));
        Assert.NotNull(view.Constant("l"));
        Assert.Null(view.Constant(""));
    }

    [Fact]
    public void ASparseInitializerIsDefinedButNoDenseConstant()
    {
        var graph = new GraphProto();
        graph.SparseInitializer.Add(new SparseTensorProto { Values = TensorProto.FromFloats("s", [1], [1]) });
        GraphView view = GraphView.Of(graph);
        Assert.True(view.Defines("s"));
        Assert.Null(view.Constant("s"));
    }

    [Fact]
    public void ABodyCountsAsAReaderOfWhatItCaptures()
    {
        GraphView view = GraphView.Of(WithBody().Graph);
        Assert.Equal(["If"], view.Consumers("k").Select(static node => node.OpType));
        Assert.Equal(["Neg", "If", "If"], view.Consumers("x").Select(static node => node.OpType));
    }

    [Fact]
    public void ABodyLooksUpOuterNamesUnlessItDefinesThem()
    {
        GraphBuilder graph = WithBody();
        GraphView main = GraphView.Of(graph.Graph);
        GraphView[] views = [.. main.WithInner()];
        Assert.Equal(["test", "then", "else"], views.Select(static view => view.Graph.Name));
        GraphView then = views[1], otherwise = views[2];

        Assert.Same(main.Initializer("k"), then.Constant("k"));
        Assert.NotSame(main.Initializer("k"), otherwise.Constant("k"));
        Assert.Same(main, then.Owner("x"));
        Assert.Same(otherwise, otherwise.Owner("k"));
        Assert.Null(then.Owner("nowhere"));
        Assert.Same(main, then.Outer);
    }

    [Fact]
    public void ABodyInputHidesAnOuterConstant()
    {
        GraphBuilder body = new GraphBuilder("body").Input("k", 2).Node("o = Neg(k)").Output("o");
        GraphView main = GraphView.Of(
            new GraphBuilder().Random("k", 2).Node("y = Loop(, , k)", AttributeProto.Graph("body", body.Graph)).Output("y").Graph);
        Assert.Null(main.Inner(body.Graph).Constant("k"));
        Assert.Single(main.Consumers("k"));
    }

    [Fact]
    public void InsertAndReplaceKeepTheIndexAndTheOrder()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2).Node("a = Neg(x)").Node("y = Abs(a)").Output("y");
        GraphView view = GraphView.Of(graph.Graph);
        NodeProto abs = graph.Graph.Node[1],
            exp = GraphBuilder.Parse("b = Exp(a)"),
            log = GraphBuilder.Parse("y = Log(b)"),
            sin = GraphBuilder.Parse("z = Sin(x)");

        view.InsertBefore(graph.Graph.Node[0], sin);
        view.Replace(abs, exp, log);

        Assert.Equal(["Sin", "Neg", "Exp", "Log"], graph.Graph.Node.Select(static node => node.OpType));
        Assert.Same(log, view.Producer("y"));
        Assert.Equal([exp], view.Consumers("a"));
        Assert.Equal(2, view.Consumers("x").Count);
        ModelValidation.Verify(graph.Model());
        Assert.Throws<InvalidOperationException>(() => view.Replace(abs, exp));
    }

    [Fact]
    public void RemoveForgetsTheNodes()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2).Node("a = Neg(x)").Node("y = Abs(x)").Output("y");
        GraphView view = GraphView.Of(graph.Graph);
        view.Remove(new HashSet<NodeProto> { graph.Graph.Node[0] });
        Assert.Null(view.Producer("a"));
        Assert.Single(view.Consumers("x"));
        Assert.Single(graph.Graph.Node);
    }

    [Fact]
    public void SetInputChangesOneInput()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2).Input("z", 2).Node("y = Add(x, x)").Output("y");
        GraphView view = GraphView.Of(graph.Graph);
        view.SetInput(graph.Graph.Node[0], 1, "z");
        Assert.Equal(["x", "z"], graph.Graph.Node[0].Input);
        Assert.Single(view.Consumers("x"));
        Assert.Single(view.Consumers("z"));
    }

    [Fact]
    public void ReplaceUsesReachesBodiesOfBodies()
    {
        GraphBuilder inner = new GraphBuilder("inner").Node("i = Neg(a)").Output("i"),
            outer = new GraphBuilder("outer").Node("o = If(c)", AttributeProto.Graph("then_branch", inner.Graph)).Output("o");
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2)
            .Node("a = Abs(x)")
            .Node("y = If(c)", AttributeProto.Graph("then_branch", outer.Graph))
            .Output("y", "a");
        GraphView view = GraphView.Of(graph.Graph);

        view.ReplaceUses("a", "x");

        Assert.Equal("x", inner.Graph.Node[0].Input[0]);
        Assert.Empty(view.Consumers("a"));
        Assert.Equal(2, view.Consumers("x").Count);
        Assert.True(view.IsOutput("a"));
    }

    [Fact]
    public void ReplaceUsesStopsWhereABodyDefinesTheName()
    {
        GraphBuilder body = new GraphBuilder("body").Node("a = Neg(x)").Node("o = Abs(a)").Output("o");
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2)
            .Node("a = Abs(x)")
            .Node("b = Neg(a)")
            .Node("y = If(b)", AttributeProto.Graph("then_branch", body.Graph))
            .Output("y");
        GraphView.Of(graph.Graph).ReplaceUses("a", "x");
        Assert.Equal("a", body.Graph.Node[1].Input[0]);
        Assert.Equal("x", graph.Graph.Node[1].Input[0]);
    }

    [Fact]
    public void RenameProducedRenamesEverywhere()
    {
        GraphBuilder body = new GraphBuilder("body").Node("o = Neg(a)").Output("o");
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2)
            .Node("a, m = Dropout(x)")
            .Node("b = Neg(a)")
            .Node("y = If(b)", AttributeProto.Graph("then_branch", body.Graph))
            .Output("y");
        graph.Graph.ValueInfo.Add(GraphBuilder.Value(TensorDataType.Float, "a", 2));
        GraphView view = GraphView.Of(graph.Graph);

        view.RenameProduced("a", "renamed");

        Assert.Equal(["renamed", "m"], graph.Graph.Node[0].Output);
        Assert.Equal("renamed", graph.Graph.Node[1].Input[0]);
        Assert.Equal("renamed", body.Graph.Node[0].Input[0]);
        Assert.Null(view.Producer("a"));
        Assert.Same(graph.Graph.Node[0], view.Producer("renamed"));
        Assert.Empty(graph.Graph.ValueInfo);
    }

    [Fact]
    public void InitializersAreAddedAndReplacedInPlace()
    {
        GraphBuilder graph = new GraphBuilder().Random("a", 2).Random("b", 2);
        GraphView view = GraphView.Of(graph.Graph);
        TensorProto replacement = TensorProto.FromFloats("a", [1], [5]), added = TensorProto.FromFloats("c", [1], [6]);
        view.ReplaceInitializer(replacement);
        view.AddInitializer(added);
        Assert.Equal(["a", "b", "c"], graph.Graph.Initializer.Select(static tensor => tensor.Name));
        Assert.Same(replacement, view.Constant("a"));
        Assert.Same(added, view.Constant("c"));
    }

    private static GraphBuilder WithBody()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Add(x, k)").Output("t"),
            otherwise = new GraphBuilder("else").Random("other", 3).Random("k", 3).Node("e = Add(x, k)").Output("e");
        return new GraphBuilder().Input(TensorDataType.Bool, "c").Input("x", 2, 3).Random("k", 3).Node("n = Neg(x)")
            .Node("y = If(c)", AttributeProto.Graph("then_branch", then.Graph), AttributeProto.Graph("else_branch", otherwise.Graph))
                .Output("y");
    }
}
