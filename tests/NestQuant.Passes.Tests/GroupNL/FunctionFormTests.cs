using NestQuant.Onnx;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.GroupNL;

/// <summary>The ways in which exporters write the functions of GroupNL's family, each fused, and the same in ONNX Runtime.</summary>
public sealed class FunctionFormTests
{
    [Theory]
    [InlineData("gaussian", 0, "q = Pow(b, two)", "e = Neg(q)", "s = Exp(e)")]
    [InlineData("gaussian", 0, "q = Mul(n, n)", "e = Neg(q)", "s = Exp(e)")]
    [InlineData("multiquadric", 0, "q = Pow(b, two)", "t = Add(one, q)", "s = Sqrt(t)")]
    [InlineData("inverse_quadratic", 0, "q = Mul(b, b)", "t = Add(q, one)", "s = Div(one, t)")]
    [InlineData("inverse_quadratic", 0, "q = Pow(a, two)", "t = Add(q, one)", "s = Reciprocal(t)")]
    [InlineData("inverse_multiquadric", 0, "q = Mul(b, b)", "t = Add(q, one)", "r = Sqrt(t)", "s = Div(one, r)")]
    [InlineData("inverse_multiquadric", 0, "q = Mul(b, b)", "t = Add(one, q)", "r = Sqrt(t)", "s = Reciprocal(r)")]
    [InlineData("monomial", 4, "m = Abs(b)", "p = Pow(m, three)", "s = Mul(p, b)")]
    [InlineData("monomial", 3, "m = Abs(b)", "p = Pow(m, two)", "s = Mul(b, p)")]
    [InlineData("monomial", 2, "m = Abs(b)", "s = Mul(b, m)")]
    public void IsFused(string function, int power, params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 4, 3, 5)
            .Floats("epsilon", [], 1e-12f)
            .Floats("one", [], 1)
            .Floats("two", [1], 2)
            .Floats("three", [1, 1, 1, 1], 3)
            .Random("shift", 1, 4, 1, 1).Random("period", 1, 4, 1, 1)
            .Node("norm = ReduceL2(x)", AttributeProto.IntList("axes", 1))
                .Node("bounded = Clip(norm, epsilon)")
                .Node("n = Div(x, bounded)")
                .Node("a = Sub(n, shift)");
        if (nodes[0].Contains("(b", StringComparison.Ordinal)) graph.Node("b = Mul(a, period)");
        else if (!nodes[0].Contains("(a", StringComparison.Ordinal)) graph.Graph.Node.RemoveAt(graph.Graph.Node.Count - 1);
        foreach (string node in nodes) graph.Node(node);
        graph.Node("y = Concat(n, s)", AttributeProto.Int("axis", 1)).Output("y");

        PassRun run = PassRun.Preserving(new GroupNLFusePass(), graph.Model(), 1e-5f, ("x", TensorValue.Random(2, 4, 3, 5)));
        Assert.Equal(["GroupNLExpand"], run.Ops);
        Assert.Equal(function, run.Graph.Node[0].GetString("function", ""));
        Assert.Equal(power, run.Graph.Node[0].GetInt("power", 0));
    }

    /// <summary>A constant of higher rank would give the maps another axis.</summary>
    [Fact]
    public void AConstantOfHigherRankIsNoOne()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 4, 3, 5).Floats("epsilon", [], 1e-12f).Floats("one", [1, 1, 1, 1, 1], 1)
            .Node("norm = ReduceL2(x)", AttributeProto.IntList("axes", 1)).Node("bounded = Clip(norm, epsilon)").Node("n = Div(x, bounded)")
            .Node("q = Mul(n, n)").Node("t = Add(q, one)").Node("s = Sqrt(t)").Output("s");
        PassRun run = PassRun.Of(new GroupNLFusePass(), graph.Model());
        Assert.False(run.Changed);
        Assert.Contains("of shape [1,1,1,1,1]", run.ReasonFor("norm"), StringComparison.Ordinal);
    }
}
