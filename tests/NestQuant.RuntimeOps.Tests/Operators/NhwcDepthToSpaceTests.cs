using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class NhwcDepthToSpaceTests
{
    /// <summary>ONNX Runtime's own DepthToSpace, channels first.</summary>
    [Fact]
    public void It_is_depth_to_space_channels_last() => Gen
        .Select(Gen.Long[0, 2], Gen.Long[1, 5], Gen.Long[1, 5], Gen.Long[1, 40], Gen.Long[1, 4])
        .Sample(
            static (n, h, w, c, block) =>
            {
                long[] shape = [n, h, w, c * block * block];
                byte[] x = Bytes(shape);
                using InferenceSession session = Model(shape, block).Open(threads: 2);
                (byte[] y, long[] outputShape) = session.Run<byte>(("X", SessionRuns.Tensor(x, shape)));
                Assert.Equal([n, h * block, w * block, c], outputShape);
                if (n == 0) return;
                ModelProto reference = new GraphBuilder().Input(TensorDataType.UInt8, "x", shape)
                    .Node("f = Transpose(x)", AttributeProto.IntList("perm", 0, 3, 1, 2))
                    .Node("d = DepthToSpace(f)", AttributeProto.Int("blocksize", block))
                    .Node("y = Transpose(d)", AttributeProto.IntList("perm", 0, 2, 3, 1))
                    .Output("y")
                    .Model();
                using InferenceSession expected = NodeModel.Open(ModelFile.ToBytes(reference), 1);
                Assert.Equal(expected.Run<byte>(("x", SessionRuns.Tensor(x, shape))).Item1, y);
            },
            iter: 50, threads: 1);

    [Fact]
    public void Output_type_and_shape_are_inferred()
    {
        using InferenceSession session = Model([-1, 4, -1, 8], 2).Open();
        Assert.Equal(typeof(byte), session.OutputMetadata["Y"].ElementType);
        Assert.Equal([-1, 8, -1, 2], session.OutputMetadata["Y"].Dimensions);
    }

    [Theory]
    [InlineData(new long[] { 1, 2, 3, 8 }, 0, "'blocksize' is 0")]
    [InlineData(new long[] { 1, 2, 3, 8 }, 1L << 40, "'blocksize' is")]
    [InlineData(new long[] { 1, 2, 3, 6 }, 2, "a multiple of 4 channels")]
    [InlineData(new long[] { 2, 3, 8 }, 2, "a multiple of 4 channels")]
    public void What_has_no_blocks_is_refused(long[] shape, long block, string expected) => OperatorErrorTests.Expect(
        expected, Model(shape, block), ("X", SessionRuns.Tensor(Bytes(shape), shape)));

    private static byte[] Bytes(long[] shape)
    {
        byte[] values = new byte[shape.Aggregate(1L, static (count, extent) => count * extent)];
        new Random(5).NextBytes(values);
        return values;
    }

    private static NodeModel Model(long[] shape, long block) =>
        new NodeModel(OperatorNames.NhwcDepthToSpace) { OutputType = TensorDataType.UInt8 }
            .Fed("X", TensorDataType.UInt8, shape)
            .With(AttributeProto.Int("blocksize", block));
}
