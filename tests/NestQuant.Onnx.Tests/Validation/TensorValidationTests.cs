using NestQuant.Onnx.Validation;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Validation;

public sealed class TensorValidationTests
{
    [Fact]
    public void ImpossibleShapesAreRefused()
    {
        AssertRefused(Tensor(TensorDataType.Float, -1, -4), "impossible shape [-1,-4]");
        AssertRefused(Tensor(TensorDataType.Float, 1L << 62, 4), "impossible shape");
        AssertRefused(Tensor(TensorDataType.Double, 1L << 60), "impossible shape");
        AssertRefused(Tensor(TensorDataType.String, 1L << 62, 4), "impossible shape");
    }

    [Fact]
    public void UnknownTypesAreRefused()
    {
        AssertRefused(Tensor(TensorDataType.Undefined, 2), "unknown element type undefined");
        AssertRefused(Tensor((TensorDataType)99, 2), "unknown element type 99");
    }

    [Fact]
    public void RawContentHasTheLengthOfTheShape()
    {
        TensorProto tensor = Tensor(TensorDataType.Float, 2);
        tensor.RawData = new byte[7];
        AssertRefused(tensor, "holds 7 bytes, but float[2] needs 8");
        tensor.RawData = new byte[8];
        TensorValidation.Verify(tensor);
    }

    [Fact]
    public void TypedContentIsInTheFieldOfItsTypeAndComplete()
    {
        TensorProto floats = Tensor(TensorDataType.Float, 2);
        AssertRefused(floats, "holds 0 bytes");
        floats.FloatData.AddRange([1, 2, 3]);
        AssertRefused(floats, "holds 12 bytes, but float[2] needs 8");

        TensorProto integers = Tensor(TensorDataType.Int64, 2);
        integers.Int32Data.AddRange([1, 2]);
        AssertRefused(integers, "has content in int32_data; it belongs in int64_data");

        TensorProto both = Tensor(TensorDataType.Float, 2);
        both.RawData = new byte[8];
        both.FloatData.AddRange([1, 2]);
        AssertRefused(both, "raw content and float_data too");

        TensorProto strings = Tensor(TensorDataType.String, 2);
        strings.StringData.Add([]);
        AssertRefused(strings, "holds 1 strings, but its shape [2] needs 2");
    }

    [Theory]
    [InlineData(TensorDataType.Int4, 3, 2)]
    [InlineData(TensorDataType.UInt2, 5, 2)]
    [InlineData(TensorDataType.Float16, 3, 3)]
    [InlineData(TensorDataType.Bool, 3, 3)]
    public void SmallTypesShareAField(TensorDataType type, long elements, int stored)
    {
        TensorProto tensor = Tensor(type, elements);
        tensor.Int32Data.AddRange(new int[stored]);
        TensorValidation.Verify(tensor);
        tensor.Int32Data.Add(0);
        AssertRefused(tensor, "bytes, but");
    }

    [Fact]
    public void TensorsWithoutElementsNeedNoContent() => TensorValidation.Verify(Tensor(TensorDataType.Float, 0, 3));

    [Fact]
    public void SparseTensorsFitTheirShape()
    {
        var sparse = new SparseTensorProto
        {
            Values = TensorProto.FromFloats("s", [2], [1, 2]),
            Indices = TensorProto.FromInt64s("", [2], [0, 3]),
        };
        sparse.Dims.Add(4);
        TensorValidation.Verify(sparse);
        sparse.Dims[0] = 1;
        Assert.Throws<ModelException>(() => TensorValidation.Verify(sparse));
        sparse.Dims[0] = -4;
        Assert.Throws<ModelException>(() => TensorValidation.Verify(sparse));
        sparse.Dims[0] = 4;
        sparse.Indices = null;
        Assert.Throws<ModelException>(() => TensorValidation.Verify(sparse));
    }

    [Fact]
    public void TensorsAreCheckedWhereverTheyAre()
    {
        TensorProto bad = Tensor(TensorDataType.Float, -2);
        AssertModelRefused(graph => graph.Initializer.Add(bad));
        AssertModelRefused(
            graph => graph.SparseInitializer.Add(new SparseTensorProto { Values = bad, Indices = TensorProto.FromInt64s("", [0], []) }));
        AssertModelRefused(graph => graph.Node[0].Attribute.Add(AttributeProto.Tensor("t", bad)));
        AssertModelRefused(graph => graph.Node[0].Attribute.Add(AttributeProto.Graph("g", new GraphBuilder().Constant(bad).Graph)));
    }

    private static TensorProto Tensor(TensorDataType type, params long[] dims)
    {
        var tensor = new TensorProto { Name = "w", DataType = type };
        tensor.Dims.AddRange(dims);
        return tensor;
    }

    private static void AssertRefused(TensorProto tensor, string expected) =>
        Assert.Contains(expected, Assert.Throws<ModelException>(() => TensorValidation.Verify(tensor)).Message, StringComparison.Ordinal);

    private static void AssertModelRefused(Action<GraphProto> change)
    {
        ModelProto model = new GraphBuilder().Input("x", 2).Node("y = Abs(x)").Output("y").Model();
        change(model.Graph!);
        Assert.Contains(
            "impossible shape", Assert.Throws<ModelException>(() => ModelValidation.Verify(model)).Message, StringComparison.Ordinal);
    }
}
