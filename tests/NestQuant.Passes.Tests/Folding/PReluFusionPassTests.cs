using NestQuant.Onnx;
using NestQuant.Passes.Folding;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Folding;

public sealed class PReluFusionPassTests
{
    private const float Tolerance = 1e-6f;

    [Theory]
    [InlineData("LeakyRelu", "m = Mul(x, fifth)", "y = Max(x, m)")]
    [InlineData("LeakyRelu", "m = LeakyRelu(x)", "y = Max(m, x)")]
    [InlineData("LeakyRelu", "m = Div(x, five)", "y = Max(x, m)")]
    [InlineData("LeakyRelu", "n = Neg(x)", "r = Relu(n)", "m = Mul(fifth, r)", "p = Relu(x)", "y = Sub(p, m)")]
    [InlineData("LeakyRelu", "a = Abs(x)", "d = Sub(x, a)", "m = Mul(d, fifth)", "p = Relu(x)", "y = Add(p, m)")]
    [InlineData("LeakyRelu", "m = Mul(x, five)", "y = Min(x, m)")]
    [InlineData("PRelu", "m = Mul(x, slopes)", "y = Max(x, m)")]
    [InlineData("PRelu", "n = Neg(x)", "r = Relu(n)", "m = Mul(slopes, r)", "p = Relu(x)", "y = Add(p, m)")]
    [InlineData("PRelu", "a = Abs(x)", "d = Sub(x, a)", "s = Mul(d, slopes)", "m = Mul(s, fifth)", "p = Relu(x)", "y = Add(m, p)")]
    public void ACombinationBecomesOneNode(string expected, params string[] nodes)
    {
        PassRun run = PassRun.Preserving(new PReluFusionPass(), Model(nodes), Tolerance, ("x", TensorValue.Random(2, 3, 4, 5)));
        Assert.Equal([expected], run.Ops);
        Assert.True(run.Changed);
        Assert.Contains(run.Decisions, static decision => decision.Rewritten);
    }

    [Theory]
    [InlineData("m = Mul(x, five)", "y = Max(x, m)")]
    [InlineData("m = Mul(x, wide)", "y = Max(x, m)")]
    [InlineData("m = Mul(x, deep)", "y = Max(x, m)")]
    [InlineData("m = Mul(z, fifth)", "y = Max(x, m)")]
    [InlineData("p = Relu(x)", "y = Add(x, p)")]
    [InlineData("y = LeakyRelu(x)")]
    [InlineData("y = PRelu(x, slopes)")]
    [InlineData("y = Max(x, fifth)")]
    public void AnythingElseStays(params string[] nodes) => Assert.False(PassRun.Of(new PReluFusionPass(), Model(nodes)).Changed);

    [Fact]
    public void IntegersStay()
    {
        GraphBuilder graph = new GraphBuilder().Input("f", 4).Node("x = Cast(f)", AttributeProto.Int("to", (long)TensorDataType.Int64));
        Assert.False(PassRun.Of(new PReluFusionPass(), graph.Node("n = Abs(x)").Node("y = Max(x, n)").Output("y").Model()).Changed);
    }

    [Fact]
    public void AConstantThatMakesChannelsStays()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 1, 4, 5).Random("slopes", 3, 1, 1);
        Assert.False(PassRun.Of(new PReluFusionPass(), graph.Node("m = Mul(x, slopes)").Node("y = Max(x, m)").Output("y").Model()).Changed);
    }

    [Fact]
    public void WhatIsReadOtherwiseToo()
    {
        ModelProto model = Model("m = Mul(x, fifth)", "y = Max(x, m)", "o = Relu(m)");
        model.Graph!.Output.Add(new ValueInfoProto { Name = "o", Type = model.Graph.Output[0].Type });
        PassRun run = PassRun.Preserving(new PReluFusionPass(), model, Tolerance, ("x", TensorValue.Random(2, 3, 4, 5)));
        Assert.Equal(["LeakyRelu", "Mul", "Relu"], run.Ops.Order(StringComparer.Ordinal));
    }

    private static ModelProto Model(params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 3, 4, 5)
            .Floats("fifth", [], 0.2f)
            .Floats("five", [1], 5)
            .Floats("slopes", [3, 1, 1], 0.1f, 0.5f, 0.9f)
            .Random("wide", 3, 4, 1)
            .Random("deep", 1, 1, 3, 1, 1);
        if (nodes.Any(static node => node.Contains("(z", StringComparison.Ordinal))) graph.Input("z", 2, 3, 4, 5);
        foreach (string node in nodes) graph.Node(node);
        return graph.Output("y").Model();
    }
}
