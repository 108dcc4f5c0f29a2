using NestQuant.Compiler.Reports;
using NestQuant.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

public sealed class LayerTimesTests
{
    [Theory]
    [InlineData(ActivationMode.WeightOnly)]
    [InlineData(ActivationMode.Dynamic)]
    public void SmallLayersAreSlower(ActivationMode mode)
    {
        TimeEstimate times = Estimate(mode, Conv(4, 4, 8))!;
        Assert.True(times.IsSlower);
        Assert.Equal("layer", Assert.Single(times.Slower).Node);
    }

    [Fact]
    public void LargeConvolutionsAreFasterInIntegers()
    {
        TimeEstimate times = Estimate(ActivationMode.Dynamic, Conv(64, 64, 56))!;
        Assert.False(times.IsSlower);
        Assert.Empty(times.Slower);
    }

    [Fact]
    public void WithoutShapesThereIsNoEstimate() => Assert.Null(Estimate(ActivationMode.Dynamic, Conv(64, 64, -1)));

    [Fact]
    public void WithoutNestedWeightsThereIsNoEstimate() =>
        Assert.Null(NestQuantCompiler.Compile(Conv(4, 4, 8), new CompilerOptions()).Times);

    private static TimeEstimate? Estimate(ActivationMode mode, ModelProto model) =>
        NestQuantCompiler.Compile(
            model,
            new CompilerOptions
            {
                Weights = new() { Bits = new NestedBits(8, 6) },
                Activations = new() { Mode = mode },
            }).Times;

    private static ModelProto Conv(int inputs, int outputs, int extent) =>
        new GraphBuilder()
            .Input("x", 1, inputs, extent, extent)
            .Random("W", outputs, inputs, 3, 3)
            .Node("layer: y = Conv(x, W)")
            .Output("y")
            .Model();
}
