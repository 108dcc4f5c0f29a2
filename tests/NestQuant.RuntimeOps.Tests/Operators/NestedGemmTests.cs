using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class NestedGemmTests
{
    [Theory]
    [InlineData(new long[] { 20 })]
    [InlineData(new long[] { 1, 20 })]
    [InlineData(new long[] { 6, 20 })]
    [InlineData(new long[] { 2, 3, 4, 20 })]
    public void Multiplies_the_last_dimension_of_any_rank(long[] shape)
    {
        ConvolutionCase c = NestedModels.SmallGemm((int)shape[..^1].Aggregate(1L, (a, b) => a * b));
        using InferenceSession session = NestedModels.Gemm(c, shape).Open();
        (float[] y, long[] outputShape) = session.Run(("X", SessionRuns.Tensor(c.X, shape)));
        Assert.Equal([.. shape[..^1], 7], outputShape);
        Assert.Equal(c.Expected(), y);
    }

    [Fact]
    public void A_weight_stored_as_K_by_N_gives_the_same_product()
    {
        ConvolutionCase c = NestedModels.SmallGemm(5);
        sbyte[][] values = NestedPacker.Unpack(c.Layout, c.HighBytes, c.LowBytes);
        NestedLayout transposed = new(c.Layout.Bits, new ChannelView(1, 20, 7, 1));
        byte[] highBytes = new byte[transposed.HighByteLength];
        byte[] lowBytes = new byte[transposed.LowByteLength];
        NestedPacker.Pack(transposed, [Transpose(values[0]), Transpose(values[1])], [highBytes, lowBytes]);
        NodeModel model = NestedModels.Gemm(c, 5, 20)
            .Constant(TensorProto.FromBytes("W_high", TensorDataType.UInt8, [highBytes.Length], highBytes))
            .Constant(TensorProto.FromBytes("W_low", TensorDataType.UInt8, [lowBytes.Length], lowBytes))
            .With(AttributeProto.String(AttributeNames.WeightTag, WeightTag.Of(transposed, highBytes, lowBytes).ToString()))
            .With(AttributeProto.IntList(AttributeNames.Shape, 20, 7))
            .With(AttributeProto.IntList(AttributeNames.ChannelView, 1, 20, 7, 1));
        using InferenceSession session = model.Open();
        Assert.Equal(c.Expected(), session.Run(("X", SessionRuns.Tensor(c.X, 5, 20))).Data);
    }

    [Fact]
    public void Part_precision_is_the_high_operand_alone()
    {
        ConvolutionCase c = NestedModels.SmallGemm(5, isPart: true);
        using InferenceSession session = NestedModels.Gemm(c, 5, 20).Open();
        Assert.Equal(c.Expected(), session.Run(("X", SessionRuns.Tensor(c.X, 5, 20)), ("bits", SessionRuns.Tensor<int>([6]))).Data);
    }

    [Fact]
    public void The_output_shape_is_inferred()
    {
        using InferenceSession session = NestedModels.Gemm(NestedModels.SmallGemm(5), -1, 5, 20).Open();
        Assert.Equal([-1, 5, 7], session.OutputMetadata["Y"].Dimensions);
    }

    private static sbyte[] Transpose(sbyte[] rowPerOutput)
    {
        sbyte[] result = new sbyte[rowPerOutput.Length];
        for (int n = 0; n < 7; n++)
        {
            for (int k = 0; k < 20; k++)
                result[k * 7 + n] = rowPerOutput[n * 20 + k];
        }

        return result;
    }
}
