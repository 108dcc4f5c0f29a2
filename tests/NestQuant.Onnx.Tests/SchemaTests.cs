using CsCheck;
using Google.Protobuf;
using NestQuant.Onnx.Files;
using NestQuant.TestSupport;
using Reference = NestQuant.Onnx.Tests.Reference;

namespace NestQuant.Onnx.Tests;

public class SchemaTests
{
    public static TheoryData<string> GoldenModels { get; } =
        ["digits-cnn.onnx", "digits-cnn-bn.onnx", "digits-gnl.onnx", "digits-gnl-sparse.onnx", "digits-mbv2.onnx"];

    [Fact]
    public void RandomModelsHaveTheSameFieldsAsTheReferenceReaderSees() =>
        Gen.Int.Sample(seed =>
        {
            var expected = new RandomMessage(seed).Model();
            SchemaComparison.AssertSame(expected, ModelCodec.Read(expected.ToByteArray()));
        }, iter: 300);

    [Fact]
    public void RandomModelsWithUnknownFieldsSurviveByteForByte() =>
        Gen.Int.Sample(seed =>
        {
            var bytes = new RandomMessage(seed).Model().ToByteArray();
            var written = ModelFile.ToBytes(ModelCodec.Read(bytes));
            Assert.Equal(Reference.ModelProto.Parser.ParseFrom(bytes), Reference.ModelProto.Parser.ParseFrom(written));
            Assert.Equal(bytes, written);
        }, iter: 300);

    [Theory]
    [MemberData(nameof(GoldenModels))]
    public void GoldenModelsSurviveByteForByte(string name)
    {
        var path = TemporaryFolder.GoldenModel(name);
        var model = ModelFile.Load(path);
        var bytes = File.ReadAllBytes(path);
        SchemaComparison.AssertSame(Reference.ModelProto.Parser.ParseFrom(bytes), model);
        Assert.Equal(bytes, ModelFile.ToBytes(model));
    }

    [Fact]
    public void EveryMessageOfTheSchemaHasAClassOfItsName()
    {
        var classes = typeof(ModelProto).Assembly.GetTypes().Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var message in Reference.OnnxReflection.Descriptor.MessageTypes)
            Assert.Contains(message.Name, classes);
        Assert.Equal(
            Enum.GetValues<Reference.TensorProto.Types.DataType>().Select(v => (v.ToString().ToUpperInvariant(), (int)v)),
            Enum.GetValues<TensorDataType>().Select(v => (v.ToString().ToUpperInvariant(), (int)v)));
        Assert.Equal(
            Enum.GetValues<Reference.AttributeProto.Types.AttributeType>().Select(v => (v.ToString(), (int)v)),
            Enum.GetValues<AttributeType>().Select(v => (v.ToString(), (int)v)));
    }

    [Fact]
    public void ListsAreReadPackedAndUnpacked()
    {
        // The schema says unpacked for ints (field 8 of an attribute) and packed for float_data (field 4 of a tensor).
        var attribute = Field(5, [.. Field(1, "a"u8.ToArray()), .. Field(8, [3, 4])]);
        var tensor = Field(5, [8, 2, 16, 1, 0x25, 0, 0, 0x80, 0x3f, 0x25, 0, 0, 0, 0x40]);
        byte[] bytes = [8, 8, .. Field(7, [.. Field(1, attribute), .. tensor]), .. Field(8, [16, 17])];

        var model = ModelCodec.Read(bytes);

        Assert.Equal([3, 4], model.Graph!.Node[0].Attribute[0].Ints);
        Assert.Equal([1f, 2f], model.Graph.Initializer[0].ToFloats());

        static byte[] Field(int number, byte[] content) => [(byte)((number << 3) | 2), (byte)content.Length, .. content];
    }

    [Fact]
    public void AssigningOneKindOfAOneofClearsTheOther()
    {
        var dimension = new TensorShapeProto.Dimension { DimValue = 3 };
        dimension.DimParam = "batch";
        Assert.Null(dimension.DimValue);

        var type = new TypeProto { TensorType = new TypeProto.Tensor() };
        type.SequenceType = new TypeProto.Sequence();
        type.MapType = null;
        Assert.Null(type.TensorType);
        Assert.NotNull(type.SequenceType);
    }

    [Fact]
    public void AbsentAndEmptyAreDifferent()
    {
        var model = ModelFile.Load(Sample.Model());
        model.Graph!.Node[0].Domain = null;
        var absent = ModelFile.ToBytes(model);
        model.Graph.Node[0].Domain = "";
        var empty = ModelFile.ToBytes(model);

        Assert.False(Reference.ModelProto.Parser.ParseFrom(absent).Graph.Node[0].HasDomain);
        Assert.True(Reference.ModelProto.Parser.ParseFrom(empty).Graph.Node[0].HasDomain);
    }
}
