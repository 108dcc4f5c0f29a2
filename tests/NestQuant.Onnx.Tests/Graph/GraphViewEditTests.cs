using CsCheck;
using NestQuant.Onnx.Graph;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Graph;

/// <summary>After any sequence of edits, views say what new views of the same graphs say.</summary>
public sealed class GraphViewEditTests
{
    private const int Values = 12, Nodes = 160;

    [Fact]
    public void AViewFollowsItsEdits() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 1], Gen.Int[0, Nodes - 1], Gen.Int[0, Values - 1], Gen.Int[0, Values - 1])
            .Array[0, 120]
            .Sample(edits =>
        {
            (GraphProto main, GraphProto inner) = RandomGraphs();
            GraphView mainView = GraphView.Of(main), innerView = mainView.Inner(inner);
            int added = 0;
            foreach ((int kind, int graph, int node, int value, int other) in edits)
                Edit(graph == 0 ? mainView : innerView, kind, node, $"v{value}", $"v{other}", ref added);

            GraphView newMain = GraphView.Of(main);
            AssertSame(newMain, mainView);
            AssertSame(newMain.Inner(inner), innerView);
            Assert.Same(innerView, mainView.Inner(inner));
        });

    [Fact]
    public void AnEditInASubgraphChangesWhoReadsOuterValues()
    {
        GraphBuilder innermost = new GraphBuilder("innermost").Node("i = Neg(a)").Output("i");
        GraphBuilder middle = new GraphBuilder("middle")
            .Node("o = If(c)", AttributeProto.Graph("then_branch", innermost.Graph))
            .Output("o");
        GraphBuilder graph = new GraphBuilder()
            .Input("a", 2)
            .Input("b", 2)
            .Node("y = If(c)", AttributeProto.Graph("then_branch", middle.Graph))
            .Output("y");
        GraphView main = GraphView.Of(graph.Graph);
        GraphView inside = main.Inner(middle.Graph).Inner(innermost.Graph);

        inside.SetInput(innermost.Graph.Node[0], 0, "b");

        Assert.Empty(main.Consumers("a"));
        Assert.Equal([graph.Graph.Node[0]], main.Consumers("b"));
    }

    [Fact]
    public void ConsumersComeInGraphOrderAlsoAfterEdits()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2).Node("a = Neg(x)").Node("b = Abs(x)").Node("y = Add(a, b)").Output("y");
        GraphView view = GraphView.Of(graph.Graph);
        view.InsertBefore(graph.Graph.Node[0], GraphBuilder.Parse("z = Exp(x)"));
        view.SetInput(graph.Graph.Node[3], 0, "x");
        Assert.Equal(["Exp", "Neg", "Abs", "Add"], view.Consumers("x").Select(static node => node.OpType));
    }

    private static void Edit(GraphView view, int kind, int index, string value, string other, ref int added)
    {
        List<NodeProto> nodes = view.Graph.Node;
        NodeProto node = nodes[index % nodes.Count];
        switch (kind)
        {
            case 0:
                view.InsertBefore(
                    node, GraphBuilder.Parse($"n{added++} = Add({value}, {other})"), GraphBuilder.Parse($"n{added++} = Neg({value})"));
                break;
            case 1 when node.Input.Count > 0:
                view.SetInput(node, index % node.Input.Count, value);
                break;
            case 2:
                view.ReplaceUses(value, other);
                break;
            case 3 when !node.Subgraphs().Any():
                view.Replace(
                    node,
                    GraphBuilder.Parse($"n{added++} = Mul({value}, {other})"),
                    GraphBuilder.Parse($"{node.Output[0]} = Neg({value})"));
                break;
            case 4 when !node.Subgraphs().Any() && nodes.Count > 2:
                view.Remove(node);
                break;
            case 5 when view.Producer(node.Output[0]) == node:
                view.RenameProduced(node.Output[0], $"n{added++}");
                break;
        }
    }

    private static (GraphProto Main, GraphProto Inner) RandomGraphs()
    {
        GraphBuilder inner = new GraphBuilder("inner").Node("v0 = Neg(v1)"), main = new GraphBuilder();
        for (int i = 0; i < Nodes; i++)
        {
            main.Node($"m{i} = Add(v{i % Values}, v{i * 7 % Values})");
            inner.Node($"i{i} = Sub(v{i * 5 % Values}, v{i * 3 % Values})");
        }

        main.Node("h = If(v2)", AttributeProto.Graph("then_branch", inner.Output("i0", "v3").Graph));
        for (int i = 0; i < Nodes; i++) main.Node($"k{i} = Mul(v{i % Values}, m{i})");
        return (main.Graph, inner.Graph);
    }

    private static void AssertSame(GraphView expected, GraphView actual)
    {
        IEnumerable<string> names = expected.Graph.Node.SelectMany(static node => node.Input.Concat(node.Output))
            .Concat(Enumerable.Range(0, Values).Select(static i => $"v{i}")).Distinct(StringComparer.Ordinal);
        foreach (string name in names)
        {
            Assert.Equal(expected.Consumers(name), actual.Consumers(name), ReferenceEqualityComparer.Instance);
            Assert.Same(expected.Producer(name), actual.Producer(name));
            Assert.Equal(expected.Defines(name), actual.Defines(name));
            Assert.Equal(expected.IsOutput(name), actual.IsOutput(name));
        }
    }
}
