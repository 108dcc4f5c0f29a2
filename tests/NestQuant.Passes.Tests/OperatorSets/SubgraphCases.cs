using NestQuant.Onnx;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.OperatorSets;

/// <summary>Operators with subgraphs, whose nodes have changed too, and read outer values.</summary>
internal static class SubgraphCases
{
    public static IEnumerable<UpgradeCase> All =>
    [
        new("If", "n = Neg(x)", Last: 10) { Shape = Row, Extend = static graph => If(graph, "t = Clip[min=-0.5 max=0.5](n)") },
        new("If", "n = Neg(x)", Last: 12) { Shape = Row, Extend = static graph => If(graph, "t = Softmax[axis=0](n)") },
        new("If", "n = Neg(x)") { Shape = Row, Extend = static graph => If(graph, "t = Mul(n, x)") },
        new("Loop", "n = Neg(x)", Last: 12)
        {
            Shape = Row,
            Extend = static graph => graph.Loop(
                "y", "x", new GraphBuilder("body").Nodes("u = Unsqueeze[axes=0,](n); s = Squeeze[axes=0,](u); v_out = Add(v, s)"), Row),
        },
        new("Loop", "n = Neg(x)")
        {
            Shape = Row, Extend = static graph => graph.Loop("y", "x", new GraphBuilder("body").Nodes("v_out = Add(v, n)"), Row),
        },
        new("Scan", "n = Neg(x)", 9, 12)
        {
            Shape = Row,
            Extend = static graph => graph.Scan(
                "y", "x", new GraphBuilder("body").Nodes("p, q = Split[split=1,2](in); out = Concat[axis=0](q, p)"), 3),
        },
        new("Scan", "n = Neg(x)", 9)
        {
            Shape = Row, Extend = static graph => graph.Scan("y", "x", new GraphBuilder("body").Nodes("out = Exp(in)"), 3),
        },
    ];

    private static readonly long[] Row = [2, 3];

    private static void If(GraphBuilder graph, string then) => graph
        .Constant(TensorProto.FromBytes("always", TensorDataType.Bool, [], [1]))
        .Node(
            "y = If(always)",
            AttributeProto.Graph("then_branch", new GraphBuilder("then").Nodes(then).Output("t").Graph),
            AttributeProto.Graph("else_branch", new GraphBuilder("else").Nodes("e = Exp(n)").Output("e").Graph));
}
