using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class NestedConvTests
{
    [Fact]
    public void Equals_the_definition_at_both_precisions() =>
        Gen.Select(ConvolutionCase.Geometries, Gen.Int[0, int.MaxValue], Gen.Bool, Gen.Int[0, 1]).Sample(
            (geometry, seed, isPart, zeroPoints) =>
            {
                ConvolutionCase c = new(geometry, new NestedBits(8, 5), seed, zeroPoints * 200, isPart);
                using InferenceSession session = NestedModels.Conv(c).Open(threads: 2);
                (float[] y, long[] shape) = session.Run(("X", Image(c)), ("bits", SessionRuns.Tensor<int>([isPart ? 5 : 8])));
                Assert.Equal([geometry.Batch, geometry.Height.Output, geometry.Width.Output, geometry.OutputChannels], shape);
                Assert.Equal(c.Expected(), y);
            },
            iter: 40,
            threads: 1);

    [Theory]
    [InlineData("SAME_UPPER", 2, 1)]
    [InlineData("SAME_LOWER", 2, 1)]
    [InlineData("SAME_UPPER", 3, 1)]
    [InlineData("VALID", 1, 2)]
    [InlineData("NOTSET", 2, 1)]
    public void Attributes_mean_what_they_mean_for_ONNX_Conv(string autoPad, int stride, int dilation)
    {
        // The geometry names only the input; what comes out is ONNX Runtime's own convolution of the dequantized tensors.
        ConvolutionAxis height = new(9, 4, stride, dilation, 0, 1);
        ConvolutionAxis width = new(8, 2, stride, dilation, 0, 1);
        ConvolutionCase c = new(new ConvolutionGeometry(1, height, width, 2, 3, 6), new NestedBits(8, 6), 11, 0, isPart: false);
        NodeModel nested = WithConvAttributes(NestedModels.Conv(c), autoPad, stride, dilation);
        NodeModel reference = WithConvAttributes(
            new NodeModel("Conv") { Domain = "" }
                .Fed("X", TensorDataType.Float, 1, 6, 9, 8)
                .Constant(TensorProto.FromFloats("W", [6, 3, 4, 2], c.DequantizedWeights()))
                .Constant(TensorProto.FromFloats("B", [6], c.Bias ?? new float[6])),
            autoPad, stride, dilation).With(AttributeProto.Int("group", 2));

        float[] floats = new float[c.X.Length];
        for (int i = 0; i < floats.Length; i++)
            floats[i % 6 * 72 + i / 6] = (c.X[i] - c.XZeroPoint) * c.XScale;
        using InferenceSession nestedSession = nested.Open();
        using InferenceSession referenceSession = reference.Open();
        (float[] y, long[] shape) = nestedSession.Run(("X", Image(c)));
        (float[] expected, long[] expectedShape) = referenceSession.Run(("X", SessionRuns.Tensor(floats, 1, 6, 9, 8)));

        Assert.Equal([expectedShape[0], expectedShape[2], expectedShape[3], expectedShape[1]], shape);
        int positions = y.Length / 6;
        for (int i = 0; i < y.Length; i++)
            Assert.Equal(expected[i % 6 * positions + i / 6], y[i], 1e-3f * (1 + Math.Abs(y[i])));
    }

    [Fact]
    public void One_dimensional_convolutions_take_NWC()
    {
        ConvolutionAxis width = new(11, 3, 2, 1, 1, 6);
        ConvolutionCase c = new(
            new ConvolutionGeometry(2, ConvolutionAxis.Single, width, 1, 5, 9), new NestedBits(7, 4), 2, 0, isPart: false);
        NodeModel model = NestedModels.Conv(c)
            .Fed("X", TensorDataType.UInt8, -1, 11, 5)
            .With(AttributeProto.IntList(AttributeNames.Shape, 9, 5, 3))
            .With(AttributeProto.IntList(AttributeNames.Strides, 2))
            .With(AttributeProto.IntList(AttributeNames.Pads, 1, 1))
            .Without(AttributeNames.Dilations);
        using InferenceSession session = model.Open();
        (float[] y, long[] shape) = session.Run(("X", SessionRuns.Tensor(c.X, 2, 11, 5)));
        Assert.Equal([2, 6, 9], shape);
        Assert.Equal(c.Expected(), y);
    }

    [Fact]
    public void The_output_shape_is_inferred_as_far_as_it_is_known()
    {
        ConvolutionCase c = NestedModels.SmallConv();
        using InferenceSession session = NestedModels.Conv(c).Open();
        Assert.Equal([-1, 6, 5, 4], session.OutputMetadata["Y"].Dimensions);
    }

    [Fact]
    public void An_empty_batch_gives_an_empty_output()
    {
        ConvolutionCase c = NestedModels.SmallConv();
        using InferenceSession session = NestedModels.Conv(c).Open();
        (float[] y, long[] shape) = session.Run(("X", SessionRuns.Tensor(Array.Empty<byte>(), 0, 6, 5, 3)));
        Assert.Empty(y);
        Assert.Equal([0, 6, 5, 4], shape);
    }

    private static OrtValue Image(ConvolutionCase c) =>
        SessionRuns.Tensor(c.X, c.Geometry.Batch, c.Geometry.Height.Input, c.Geometry.Width.Input, c.Geometry.InputChannels);

    private static NodeModel WithConvAttributes(NodeModel model, string autoPad, int stride, int dilation)
    {
        model.Without(AttributeNames.Pads)
            .With(AttributeProto.String(AttributeNames.AutoPad, autoPad))
            .With(AttributeProto.IntList(AttributeNames.Strides, stride, stride))
            .With(AttributeProto.IntList(AttributeNames.Dilations, dilation, dilation));
        return autoPad == "NOTSET" ? model.With(AttributeProto.IntList(AttributeNames.Pads, 1, 0, 2, 1)) : model;
    }
}
