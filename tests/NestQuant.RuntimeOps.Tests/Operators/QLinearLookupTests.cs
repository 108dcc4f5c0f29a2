using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class QLinearLookupTests
{
    [Theory]
    [InlineData(new long[] { })]
    [InlineData(new long[] { 7 })]
    [InlineData(new long[] { 2, 3, 5, 1 })]
    [InlineData(new long[] { 3, 0 })]
    [InlineData(new long[] { 3, 70001 })]
    public void Every_byte_goes_through_the_table(long[] shape)
    {
        byte[] table = new byte[256];
        byte[] x = new byte[shape.Aggregate(1L, (a, b) => a * b)];
        Random random = new(3);
        random.NextBytes(table);
        random.NextBytes(x);
        using InferenceSession session = Model(shape, table).Open(threads: 2);
        (byte[] y, long[] outputShape) = session.Run<byte>(("X", SessionRuns.Tensor(x, shape)));
        Assert.Equal(shape, outputShape);
        Assert.Equal(x.Select(value => table[value]), y);
    }

    [Fact]
    public void Output_type_and_shape_are_inferred()
    {
        using InferenceSession session = Model([-1, 4, 3], new byte[256]).Open();
        Assert.Equal(typeof(byte), session.OutputMetadata["Y"].ElementType);
        Assert.Equal([-1, 4, 3], session.OutputMetadata["Y"].Dimensions);
    }

    [Fact]
    public void The_functions_name_may_be_noted() =>
        Model([4], new byte[256]).With(AttributeProto.String("function", "Sigmoid")).Open().Dispose();

    [Theory]
    [InlineData(255)]
    [InlineData(257)]
    [InlineData(0)]
    public void A_table_of_another_length_is_refused(int length) =>
        OperatorErrorTests.Expect("'table' has", Model([4], new byte[length]), ("X", SessionRuns.Tensor(new byte[4], 4)));

    [Fact]
    public void A_table_of_floats_is_refused() =>
        OperatorErrorTests.Expect(
            "table",
            Model([4], new byte[256]).Constant(TensorProto.FromFloats("table", [256], new float[256])),
            ("X", SessionRuns.Tensor(new byte[4], 4)));

    private static NodeModel Model(long[] shape, byte[] table) =>
        new NodeModel(OperatorNames.QLinearLookup) { OutputType = TensorDataType.UInt8 }
            .Fed("X", TensorDataType.UInt8, shape)
            .Constant(TensorProto.FromBytes("table", TensorDataType.UInt8, [table.Length], table));
}
