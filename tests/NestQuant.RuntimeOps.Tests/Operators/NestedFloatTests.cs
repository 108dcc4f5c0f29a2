using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Kernels.WeightOnly;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>NestedFloatConv and NestedFloatGemm in ONNX Runtime.</summary>
public class NestedFloatTests
{
    [Theory]
    [InlineData(new long[] { 20 })]
    [InlineData(new long[] { 6, 20 })]
    [InlineData(new long[] { 2, 3, 4, 20 })]
    public void A_product_takes_the_last_dimension_of_any_rank(long[] shape)
    {
        FloatCase c = new(NestedModels.SmallGemm((int)shape[..^1].Aggregate(1L, (a, b) => a * b)), seed: 2);
        using InferenceSession session = NestedModels.FloatGemm(c, shape).Open();
        (float[] y, long[] outputShape) = session.Run(("X", SessionRuns.Tensor(c.X, shape)));
        Assert.Equal([.. shape[..^1], 7], outputShape);
        Assert.Equal(c.ExpectedProduct(), y);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_convolution_keeps_channels_second(bool isPart)
    {
        FloatCase c = new(NestedModels.SmallConv(isPart: isPart), seed: 3, new ClipBounds(0, 1));
        using InferenceSession session = NestedModels.FloatConv(c).Open();
        Assert.Equal([-1, 4, 6, 5], session.OutputMetadata["Y"].Dimensions);
        (float[] y, long[] shape) = session.Run(
            ("X", SessionRuns.Tensor(c.X, 1, 3, 6, 5)), ("bits", SessionRuns.Tensor<int>([isPart ? 6 : 8])));
        Assert.Equal([1, 4, 6, 5], shape);
        Assert.Equal(c.ExpectedConvolution(), y);
    }

    [Fact]
    public void A_convolution_adds_before_its_bounds_apply()
    {
        FloatCase c = new(NestedModels.SmallConv(), seed: 5, new ClipBounds(0, 1), hasAddend: true);
        using InferenceSession session = WithAddend(c).Open();
        (float[] y, _) = session.Run(
            ("X", SessionRuns.Tensor(c.X, 1, 3, 6, 5)), (InputNames.Addend, SessionRuns.Tensor(c.Addend!, 1, 4, 6, 5)));
        Assert.Equal(c.ExpectedConvolution(), y);
    }

    [Fact]
    public void An_addend_of_another_shape_is_refused()
    {
        FloatCase c = new(NestedModels.SmallConv(), seed: 5, hasAddend: true);
        using InferenceSession session = WithAddend(c).Open();
        string message = Assert.ThrowsAny<OnnxRuntimeException>(() => session.Run(
            ("X", SessionRuns.Tensor(c.X, 1, 3, 6, 5)), (InputNames.Addend, SessionRuns.Tensor(c.Addend!, 1, 4, 5, 6)))).Message;
        Assert.Contains("input 'addend' has shape [1, 4, 5, 6], [1, 4, 6, 5] expected", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_level_has_its_own_scales_and_bias()
    {
        ConvolutionGeometry geometry = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(5), 1, 20, 7);
        FloatCase c = new(new ConvolutionCase(geometry, new NestedBits(8, 6, 4), 1, 0, level: 4, hasPartRows: true), seed: 4);
        using InferenceSession session = NestedModels.FloatGemm(c, 5, 20).Open();
        (float[] y, _) = session.Run(("X", SessionRuns.Tensor(c.X, 5, 20)), ("bits", SessionRuns.Tensor<int>([4])));
        Assert.Equal(c.ExpectedProduct(), y);
    }

    [Fact]
    public void Bounds_out_of_order_are_refused()
    {
        NodeModel model = NestedModels.FloatGemm(new FloatCase(NestedModels.SmallGemm(2), 1), 2, 20)
            .With(AttributeProto.Float(AttributeNames.ActivationMin, 2))
            .With(AttributeProto.Float(AttributeNames.ActivationMax, 1));
        Assert.Contains("not in order", Assert.ThrowsAny<OnnxRuntimeException>(() => model.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_of_another_shape_is_refused()
    {
        FloatCase c = new(NestedModels.SmallConv(), seed: 1);
        using InferenceSession session = NestedModels.FloatConv(c, -1, -1, -1, -1).Open();
        string message = Assert.ThrowsAny<OnnxRuntimeException>(() => session.Run(("X", SessionRuns.Tensor(c.X, 1, 6, 5, 3)))).Message;
        Assert.Contains("[N, 3, H, W] expected", message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_rows_give_no_results()
    {
        FloatCase c = new(NestedModels.SmallGemm(2), seed: 1);
        using InferenceSession session = NestedModels.FloatGemm(c, -1, 20).Open();
        Assert.Equal([0, 7], session.Run(("X", SessionRuns.Tensor<float>([], 0, 20))).Shape);
    }

    private static NodeModel WithAddend(FloatCase c)
    {
        NodeModel model = NestedModels.FloatConv(c);
        foreach (InputSchema input in OperatorInputs.Precision.Skip(1))
            model.Absent(input.Name);
        return model.Fed(InputNames.Addend, TensorDataType.Float, -1, -1, -1, -1);
    }
}
