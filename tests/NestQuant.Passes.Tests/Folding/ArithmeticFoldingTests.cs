using NestQuant.Onnx;
using NestQuant.Passes.Folding;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Folding;

/// <summary>Arithmetic with constants that the operator before it takes up.</summary>
public sealed class ArithmeticFoldingTests
{
    private const float Tolerance = 1e-5f;

    [Theory]
    [InlineData("y = Mul(h, channels)")]
    [InlineData("y = Mul(two, h)")]
    [InlineData("y = Div(h, channels)")]
    [InlineData("y = Add(channels, h)")]
    [InlineData("y = Sub(h, two)")]
    [InlineData("y = Sub(channels, h)")]
    [InlineData("m = Mul(h, channels)", "y = Add(m, channels)")]
    public void FoldsIntoConv(params string[] nodes)
    {
        foreach (string conv in (string[])["h = Conv(x, W)", "h = Conv(x, W, B)", "h = ConvTranspose(x, T)"])
        {
            PassRun run = Fold(Graph(conv, nodes), 2, 3, 5, 5);
            Assert.Equal([conv.Contains("Transpose", StringComparison.Ordinal) ? "ConvTranspose" : "Conv"], run.Ops);
            Assert.Equal("y", run.Graph.Node[0].Output[0]);
        }
    }

    [Theory]
    [InlineData("Gemm", "h = Gemm(x, R, B)", "y = Mul(h, row)")]
    [InlineData("Gemm", "h = Gemm(x, R)", "y = Add(h, row)")]
    [InlineData("Gemm", "h = Gemm(x, R, B)", "y = Div(h, two)")]
    [InlineData("MatMul", "h = MatMul(x, R)", "y = Mul(h, row)")]
    [InlineData("MatMul", "h = MatMul(x, R)", "y = Div(h, two)")]
    public void FoldsIntoProducts(string expected, string product, string node) =>
        Assert.Equal([expected], Fold(Graph(product, node), 2, 3).Ops);

    [Theory]
    [InlineData("y = Mul(h, columns)", "its constant is not one value per channel of 'n'")]
    [InlineData("y = Mul(h, deep)", "its constant is not one value per channel of 'n'")]
    [InlineData("y = Mul(h, channels); z = Relu(h)", "the result of 'n' is also used without it")]
    [InlineData("y = Mul(h, channels); z = Conv(x, W)", "the weight of 'n' has other readers, so that there would be two of it")]
    public void WhatDoesNotFoldHasItsReason(string nodes, string reason)
    {
        GraphBuilder graph = Graph("n: h = Conv(x, W)", ("kept: " + nodes).Split("; ")).Input("x", 2, 3, 5, 5).Output("y");
        PassRun run = PassRun.Of(new BatchNormFoldingPass(), graph.Model());
        Assert.False(run.Changed);
        Assert.Equal(reason, run.ReasonFor("kept"));
    }

    [Theory]
    [InlineData("y = Add(h, row)")]
    [InlineData("y = Max(h, row)")]
    [InlineData("t = Transpose(x)", "p = MatMul(x, t)", "y = Mul(p, two)")]
    public void WhatIsNoCandidateHasNoDecision(params string[] nodes)
    {
        GraphBuilder graph = Graph("h = MatMul(x, R)", nodes).Input("x", 2, 3).Output("y");
        Assert.Empty(PassRun.Of(new BatchNormFoldingPass(), graph.Model()).Decisions);
    }

    private static GraphBuilder Graph(string producer, params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder()
            .Random("W", 4, 3, 3, 3)
            .Random("T", 3, 4, 2, 2)
            .Random("B", 4)
            .Random("R", 3, 4)
            .Floats("row", [4], 0.5f, 2, -1, 1)
            .Floats("channels", [4, 1, 1], 0.5f, 2, -1, 1)
            .Random("columns", 3)
            .Random("deep", 1, 1, 4, 1, 1)
            .Floats("two", [], 2)
            .Node(producer);
        foreach (string node in nodes) graph.Node(node);
        return graph;
    }

    [Fact]
    public void AnOffsetLeavesASharedWeightAlone()
    {
        GraphBuilder graph = Graph("h = Conv(x, W)", "y = Add(h, channels)", "z = Conv(x, W)").Input("x", 2, 3, 5, 5).Output("y", "z");
        PassRun run = PassRun.Preserving(new BatchNormFoldingPass(), graph.Model(), Tolerance, ("x", TensorValue.Random(2, 3, 5, 5)));
        Assert.Equal(["Conv", "Conv"], run.Ops);
        Assert.Single(run.Graph.Initializer, static tensor => tensor.Dims.Count == 4 && tensor.Name.StartsWith('W'));
    }

    private static PassRun Fold(GraphBuilder graph, params long[] shape)
    {
        ModelProto model = graph.Input("x", shape).Output("y").Model();
        return PassRun.Preserving(new BatchNormFoldingPass(), model, Tolerance, ("x", TensorValue.Random(shape)));
    }
}
