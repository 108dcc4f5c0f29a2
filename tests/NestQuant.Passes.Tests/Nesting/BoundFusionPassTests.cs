using NestQuant.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

public sealed class BoundFusionPassTests
{
    [Theory]
    [InlineData("y = Relu(p)", 0f, float.PositiveInfinity)]
    [InlineData("y = Clip(p, low, high)", -0.25f, 0.5f)]
    [InlineData("y = Clip(p, , high)", float.NegativeInfinity, 0.5f)]
    public void WhatAloneReadsAResultBecomesItsBounds(string activation, float min, float max)
    {
        PassRun run = PassRun.Preserving(
            new BoundFusionPass(), Nested(activation, "y"), 0, ("x", TensorValue.Random(1, 3, 6, 6)));
        NodeProto nested = Assert.Single(run.Graph.Node);
        Assert.Equal(min, nested.GetFloat("activation_min", float.NegativeInfinity));
        Assert.Equal(max, nested.GetFloat("activation_max", float.PositiveInfinity));
    }

    [Fact]
    public void AResultThatIsReadElsewhereStaysUnbounded() =>
        Assert.False(PassRun.Of(new BoundFusionPass(), Nested("y = Relu(p)", "y", "p")).Changed);

    [Fact]
    public void BoundsOutOfOrderStay() =>
        Assert.False(PassRun.Of(new BoundFusionPass(), Nested("y = Clip(p, high, low)", "y")).Changed);

    /// <summary>A nested convolution and what reads it.</summary>
    private static ModelProto Nested(string activation, params string[] outputs) => PassRun.Of(
        new NestingPass(new WeightOptions { Bits = new NestedBits(8, 6) }, ActivationMode.WeightOnly),
        new GraphBuilder()
            .Input("x", 1, 3, 6, 6)
            .Random("W", 5, 3, 3, 3)
            .Floats("low", [], -0.25f)
            .Floats("high", [], 0.5f)
            .Node("p = Conv(x, W)")
            .Node(activation)
            .Output(outputs)
            .Model()).Model;
}
