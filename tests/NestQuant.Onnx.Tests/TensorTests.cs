using CsCheck;
using NestQuant.Onnx.Tests.Files;

namespace NestQuant.Onnx.Tests;

public class TensorTests
{
    [Fact]
    public void FactoriesKeepTheirValues() =>
        Gen.Select(Gen.Float.Array[0, 50], Gen.Long.Array[0, 50], Gen.Int.Array[0, 50]).Sample((floats, longs, ints) =>
        {
            Assert.Equal(floats, TensorProto.FromFloats("t", [floats.Length], floats).ToFloats());
            Assert.Equal(longs, TensorProto.FromInt64s("t", [longs.Length], longs).ToInt64s());
            Assert.Equal(ints, TensorProto.FromInt32s("t", [ints.Length], ints).ToInt32s());
        });

    [Fact]
    public void TypedFieldsGiveTheSameBytesAsRawData()
    {
        Check(TensorDataType.Float, 2, t => t.FloatData.AddRange([1f, -2f]), [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
        Check(TensorDataType.Complex64, 1, t => t.FloatData.AddRange([1f, -2f]), [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
        Check(TensorDataType.Double, 1, t => t.DoubleData.Add(1), [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        Check(TensorDataType.Int64, 1, t => t.Int64Data.Add(-2), [0xfe, 255, 255, 255, 255, 255, 255, 255]);
        Check(TensorDataType.UInt64, 1, t => t.Uint64Data.Add(258), [2, 1, 0, 0, 0, 0, 0, 0]);
        Check(TensorDataType.UInt32, 1, t => t.Uint64Data.Add(uint.MaxValue), [255, 255, 255, 255]);
        Check(TensorDataType.Int32, 1, t => t.Int32Data.Add(-2), [0xfe, 255, 255, 255]);
        Check(TensorDataType.Int16, 1, t => t.Int32Data.Add(-2), [0xfe, 255]);
        Check(TensorDataType.Float16, 1, t => t.Int32Data.Add(0x3c00), [0, 0x3c]);
        Check(TensorDataType.Int8, 2, t => t.Int32Data.AddRange([-1, 5]), [255, 5]);
        Check(TensorDataType.Bool, 1, t => t.Int32Data.Add(1), [1]);
        Check(TensorDataType.UInt4, 3, t => t.Int32Data.AddRange([0x21, 0x03]), [0x21, 0x03]);
        Check(TensorDataType.Int2, 5, t => t.Int32Data.AddRange([0xe4, 0x01]), [0xe4, 0x01]);

        static void Check(TensorDataType type, long count, Action<TensorProto> fill, byte[] expected)
        {
            var tensor = new TensorProto { Name = "t", DataType = type };
            tensor.Dims.Add(count);
            fill(tensor);
            Assert.Equal(expected, tensor.GetBytes().ToArray());
        }
    }

    [Fact]
    public void RawContentIsNotCopied()
    {
        var raw = new byte[] { 1, 2, 3 };
        var tensor = TensorProto.FromBytes("t", TensorDataType.UInt8, [3], raw);
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(tensor.GetBytes(), out var segment));
        Assert.Same(raw, segment.Array);
    }

    [Fact]
    public void WrongTypesSizesAndShapesNameTheTensor()
    {
        var tensor = TensorProto.FromFloats("weight", [2], [1, 2]);
        LoadTests.AssertRefused(() => tensor.ToInt64s(), "Tensor 'weight' is of type float where int64 is needed");
        LoadTests.AssertRefused(
            () => TensorProto.FromBytes("weight", TensorDataType.Float, [3], new byte[8]), "'weight' holds 8 bytes, but float[3] needs 12");
        tensor.Dims[0] = -1;
        LoadTests.AssertRefused(() => tensor.GetBytes(), "'weight' has the impossible shape [-1]");
        tensor.Dims.Clear();
        tensor.Dims.AddRange([long.MaxValue, long.MaxValue]);
        LoadTests.AssertRefused(() => tensor.GetBytes(), "'weight' has the impossible shape");
        LoadTests.AssertRefused(
            () => new TensorProto { Name = "s", DataType = TensorDataType.String }.GetBytes(), "string, which has no fixed size");
        LoadTests.AssertRefused(
            () => new TensorProto { Name = "e", DataType = TensorDataType.Float }.GetBytes(), "'e' holds 0 bytes, but float[] needs 4");
    }

    [Fact]
    public void AssigningRawDataReplacesOtherContent()
    {
        var tensor = new TensorProto { Name = "t", DataType = TensorDataType.Float, DataLocation = TensorDataLocation.External };
        tensor.FloatData.Add(1);
        tensor.ExternalData.Add(new StringStringEntryProto("location", "x"));
        tensor.RawData = BitConverter.GetBytes(3f);

        Assert.False(tensor.IsExternal);
        Assert.Empty(tensor.ExternalData);
        Assert.Equal([3f], tensor.ToFloats());
    }

    [Fact]
    public void ScalarsAndEmptyTensorsCount()
    {
        Assert.Equal(1, TensorProto.FromFloats("s", [], [7]).ElementCount);
        Assert.Equal(0, TensorProto.FromFloats("e", [3, 0, 5], []).ElementCount);
        Assert.Empty(TensorProto.FromFloats("e", [0], []).ToFloats());
    }

    [Fact]
    public void NodeAttributesAreReadByNameWithDefaults()
    {
        var node = Sample.Node(
            "Op",
            [],
            [],
            AttributeProto.Int("i", 3),
            AttributeProto.Float("f", 0.5f),
            AttributeProto.String("s", "é"),
            AttributeProto.IntList("v", 1, 2));

        Assert.Equal((3, 9), (node.GetInt("i", 0), node.GetInt("none", 9)));
        Assert.Equal((0.5f, 1f), (node.GetFloat("f", 0), node.GetFloat("none", 1)));
        Assert.Equal(("é", "d"), (node.GetString("s", ""), node.GetString("none", "d")));
        Assert.Equal([1, 2], node.GetInts("v")!);
        Assert.Null(node.GetInts("none"));
        LoadTests.AssertRefused(() => node.GetInt("f", 0), "Attribute 'f' of Op node '' is of type Float, not Int");

        node.SetAttribute(AttributeProto.Int("i", 4));
        node.SetAttribute(AttributeProto.Int("j", 5));
        Assert.Equal(["i=4", "f=0", "s=0", "v=0", "j=5"], node.Attribute.Select(a => $"{a.Name}={a.I ?? 0}"));
    }
}
