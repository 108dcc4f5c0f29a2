using NestQuant.Onnx;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Cleanup;

public sealed class DeadCodePassTests
{
    private static readonly (string, TensorValue) X = ("x", TensorValue.Random(2, 3));

    [Fact]
    public void NodesInitializersAndValueInfosWithoutReadersGo()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 3).Random("k", 3).Random("dead", 3)
            .Node("a = Add(x, k)").Node("b = Mul(x, dead)").Node("d = Neg(b)").Node("y = Abs(a)").Output("y");
        graph.Graph.ValueInfo.Add(GraphBuilder.Value(TensorDataType.Float, "a", 2, 3));
        graph.Graph.ValueInfo.Add(GraphBuilder.Value(TensorDataType.Float, "b", 2, 3));

        PassRun run = PassRun.Preserving(new DeadCodePass(), graph.Model(), 0, X);

        Assert.Equal(["Add", "Abs"], run.Ops);
        Assert.Equal(["k"], run.Graph.Initializer.Select(static tensor => tensor.Name));
        Assert.Equal(["a"], run.Graph.ValueInfo.Select(static info => info.Name));
    }

    [Fact]
    public void WhatBodiesReadStays()
    {
        GraphBuilder then = new GraphBuilder("then").Node("dead = Neg(a)").Node("t = Mul(x, k)").Output("t");
        GraphBuilder otherwise = new GraphBuilder("else").Node("e = Abs(x)").Output("e");
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 3)
            .Random("k", 3)
            .Random("unused", 3)
            .Node("a = Neg(x)")
            .If("y", then, otherwise)
            .Output("y");

        PassRun run = PassRun.Preserving(new DeadCodePass(), graph.Model(), 0, X, ("c", TensorValue.OfBool(true)));

        Assert.Equal(["If", "Mul", "Abs"], run.Ops);
        Assert.Equal(["k"], run.Graph.Initializer.Select(static tensor => tensor.Name));
    }

    [Fact]
    public void InputsStayWithTheirDefaults()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 3).Input("unused", 3).Random("unused", 3).Node("y = Abs(x)").Output("y");
        PassRun run = PassRun.Preserving(new DeadCodePass(), graph.Model(), 0, X);
        Assert.False(run.Changed);
        Assert.Equal(2, run.Graph.Input.Count);
        Assert.True(run.HasInitializer("unused"));
    }

    /// <summary>An empty name is an input or output that is left out, not a value that keeps its producer alive.</summary>
    [Fact]
    public void AnOmittedOutputIsNotReadByAnOmittedInput()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 3).Floats("top", [], 0.5f)
            .Node("a, = Dropout(x)").Node("y = Clip(x, , top)").Output("y");
        Assert.Equal(["Clip"], PassRun.Preserving(new DeadCodePass(), graph.Model(), 0, X).Ops);
    }

    [Fact]
    public void ANodeWithOneLiveOutputStaysWhole()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 3)
            .Int64s("sizes", 1, 2)
            .Node("a, b = Split(x, sizes)", AttributeProto.Int("axis", 1))
            .Node("y = Neg(b)")
            .Output("y");
        Assert.False(PassRun.Preserving(new DeadCodePass(), graph.Model(), 0, X).Changed);
    }

    [Fact]
    public void AnInitializerThatIsAnOutputStays()
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 3).Random("k", 3).Node("y = Neg(x)").Output("y", "k");
        Assert.False(PassRun.Preserving(new DeadCodePass(), graph.Model(), 0, X).Changed);
    }
}
