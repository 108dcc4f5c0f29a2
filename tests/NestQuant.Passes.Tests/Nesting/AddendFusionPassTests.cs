using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Export;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

public sealed class AddendFusionPassTests
{
    private static readonly (string, TensorValue)[] Feeds =
    [
        ("x", TensorValue.Random(2, 4, 7, 6)), ("z", TensorValue.Random(2, 4, 7, 6))
    ];

    [Theory]
    [InlineData("a", "r")]
    [InlineData("r", "a")]
    public void AResidualConnectionIsAddedByTheConvolutionBeforeIt(string left, string right)
    {
        PassRun run = Preserving(
            "c = Conv(x, A)", "r = Relu(c)", "b = Conv(r, A)", "a = Conv(b, A)", $"s = Add({left}, {right})", "y = Relu(s)");
        Assert.Equal(["NestedFloatConv", "Relu", "NestedFloatConv", "NestedFloatConv", "Relu"], run.Ops);
        Assert.Equal("r", run.Graph.Node[3].Input[^1]);
    }

    [Fact]
    public void OfTwoConvolutionsTheLaterAddsTheOther()
    {
        PassRun run = Preserving("a = Conv(x, S)", "b = Conv(x, A)", "y = Add(a, b)");
        Assert.Equal(["NestedFloatConv", "NestedFloatConv"], run.Ops);
        Assert.Equal("a", run.Graph.Node[1].Input[^1]);
    }

    [Theory]
    [InlineData("a = Conv(x, A)", "g = GlobalAveragePool(x)", "y = Add(a, g)")]
    [InlineData("a = Conv(x, A)", "y = Add(a, z)")]
    [InlineData("a = Conv(x, A)", "b = Relu(a)", "y = Add(a, b)")]
    [InlineData("a = Conv(x, A)", "y = Add(a, a)")]
    public void WhatMayBeBroadcastOrIsReadElsewhereStays(params string[] nodes) =>
        Assert.False(PassRun.Of(new AddendFusionPass(), Nested(nodes)).Changed);

    [Fact]
    public void AWholeModelAddsAndThenBounds()
    {
        ModelProto source = Graph("c = Conv(x, A)", "a = Conv(c, A)", "s = Add(a, x)", "y = Relu(s)").Model();
        ModelProto compiled = NestQuantCompiler.Compile(ModelRunner.Clone(source), Options).Model;
        Assert.Equal(["NestedFloatConv", "NestedFloatConv"], compiled.AllNodes().Select(static node => node.OpType));
        ExportLaw.Verify(source, ActivationMode.WeightOnly, Feeds);
    }

    private static CompilerOptions Options { get; } = new()
    {
        Weights = new() { Bits = new NestedBits(8, 6) },
        Activations = new() { Mode = ActivationMode.WeightOnly },
    };

    private static PassRun Preserving(params string[] nodes) => PassRun.Preserving(new AddendFusionPass(), Nested(nodes), 0, Feeds);

    private static ModelProto Nested(params string[] nodes) =>
        PassRun.Of(new NestingPass(Options.Weights, ActivationMode.WeightOnly), Graph(nodes).Model()).Model;

    /// <summary>Convolutions by A keep the map, those by S halve it, as a stride alone would.</summary>
    private static GraphBuilder Graph(params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2, 4, -1, 6).Input("z", 2, 4, -1, 6)
            .Random("A", 4, 4, 1, 1)
            .Random("S", 4, 4, 3, 3);
        foreach (string node in nodes) graph.Node(node);
        bool halves = graph.Graph.Node.Exists(static node => node.InputAt(1) == "S");
        foreach (NodeProto node in graph.Graph.Node.Where(node => halves && node.OpType == "Conv"))
        {
            node.Attribute.Add(AttributeProto.IntList("strides", 2, 2));
            if (node.Input[1] == "S") node.Attribute.Add(AttributeProto.IntList("pads", 1, 1, 1, 1));
        }

        return graph.Output("y");
    }
}
