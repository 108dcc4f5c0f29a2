using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class NestedQLinearTests
{
    [Fact]
    public void A_convolution_equals_the_definition_at_both_precisions() =>
        Gen.Select(ConvolutionCase.Geometries, Gen.Int[0, int.MaxValue], Gen.Bool, Gen.Int[0, 255], Gen.Int[0, 100]).Sample(
            (geometry, seed, isPart, zeroPoint, clampMin) =>
            {
                ConvolutionCase c = new(geometry, new NestedBits(8, 5), seed, seed % 2 * 200, isPart);
                Requantization requantization = new(1.5f, zeroPoint, clampMin, 255 - clampMin);
                using InferenceSession session = NestedModels.QLinearConv(c, requantization).Open(threads: 2);
                (byte[] y, long[] shape) = session.Run<byte>(
                    ("X", SessionRuns.Tensor(c.X, geometry.Batch, geometry.Height.Input, geometry.Width.Input, geometry.InputChannels)),
                    ("bits", SessionRuns.Tensor<int>([isPart ? 5 : 8])));
                Assert.Equal([geometry.Batch, geometry.Height.Output, geometry.Width.Output, geometry.OutputChannels], shape);
                Assert.Equal(c.ExpectedQuantized(requantization), y);
            },
            iter: 40,
            threads: 1);

    [Theory]
    [InlineData(new long[] { 20 })]
    [InlineData(new long[] { 1, 20 })]
    [InlineData(new long[] { 2, 3, 4, 20 })]
    public void A_product_multiplies_the_last_dimension_of_any_rank(long[] shape)
    {
        ConvolutionCase c = NestedModels.SmallGemm((int)shape[..^1].Aggregate(1L, (a, b) => a * b));
        Requantization requantization = new(0.5f, 128);
        using InferenceSession session = NestedModels.QLinearGemm(c, requantization, shape).Open();
        (byte[] y, long[] outputShape) = session.Run<byte>(("X", SessionRuns.Tensor(c.X, shape)));
        Assert.Equal([.. shape[..^1], 7], outputShape);
        Assert.Equal(c.ExpectedQuantized(requantization), y);
    }

    [Fact]
    public void Output_type_and_shape_are_inferred()
    {
        using InferenceSession session = NestedModels.QLinearConv(NestedModels.SmallConv(), new Requantization(1, 0)).Open();
        Assert.Equal(typeof(byte), session.OutputMetadata["Y"].ElementType);
        Assert.Equal([-1, 6, 5, 4], session.OutputMetadata["Y"].Dimensions);
    }
}
