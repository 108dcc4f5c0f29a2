using System.Globalization;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Text;
using NestQuant.TestSupport;
using Snapshooter.Xunit;

namespace NestQuant.Onnx.Tests.Text;

public class TextTests
{
    private static readonly TextOptions WithMetadata = new() { Metadata = true };

    [Theory]
    [InlineData("digits-cnn.onnx")]
    [InlineData("digits-mbv2.onnx")]
    public void GoldenModel(string name) =>
        Snapshot.Match(ModelText.Print(ModelFile.Load(TemporaryFolder.GoldenModel(name))), $"TextTests.GoldenModel.{name}");

    [Fact]
    public void EveryConstruct() => Snapshot.Match(ModelText.Print(Constructs(), WithMetadata));

    [Fact]
    public void AllValuesWithoutNodeNames() =>
        Snapshot.Match(ModelText.Print(Sample.Linear(), new TextOptions { ElideWeights = false, NodeNames = false }));

    [Fact]
    public void CultureMakesNoDifference()
    {
        var expected = ModelText.Print(Constructs());
        var before = CultureInfo.CurrentCulture;
        try
        {
            var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            culture.NumberFormat.NumberDecimalSeparator = ",";
            culture.NumberFormat.NegativeSign = "~";
            CultureInfo.CurrentCulture = culture;
            Assert.Equal(expected, ModelText.Print(Constructs()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void LongMetadataIsElidedWithTheWeights()
    {
        var model = Constructs();
        model.MetadataProps.Add(new StringStringEntryProto("short", new string('a', 200)));
        model.MetadataProps.Add(new StringStringEntryProto("long", new string('b', 201)));

        string elided = ModelText.Print(model, WithMetadata);
        Assert.Contains($"\"short\": \"{new string('a', 200)}\",\n", elided, StringComparison.Ordinal);
        Assert.Contains("\"long\": \"\" # 201 characters, sha256:", elided, StringComparison.Ordinal);
        Assert.Contains(new string('b', 201), ModelText.Print(model, WithMetadata with { ElideWeights = false }), StringComparison.Ordinal);
    }

    [Fact]
    public void Provenance_does_not_change_the_text()
    {
        var model = Constructs();
        var text = ModelText.Print(model);
        model.ProducerName = "another";
        model.ProducerVersion = "2";
        model.MetadataProps.Clear();
        model.Graph!.Node.First(node => node.MetadataProps.Count > 0).MetadataProps[0] = new StringStringEntryProto("origin", "elsewhere");

        Assert.Equal(text, ModelText.Print(model));
        Assert.NotEqual(text, ModelText.Print(model, WithMetadata));
    }

    [Fact]
    public void OneChangedWeightChangesTheText()
    {
        var model = Sample.Linear();
        var before = ModelText.Print(model);
        var values = model.Graph!.Initializer[0].ToFloats();
        values[1023] += 1;
        model.Graph.Initializer[0] = TensorProto.FromFloats("w", [256, 4], values);
        Assert.NotEqual(before, ModelText.Print(model));
    }

    private static ModelProto Constructs()
    {
        var model = Sample.Linear();
        var graph = model.Graph!;
        model.DocString = "a \"quoted\" \\ text";
        model.MetadataProps.Add(new StringStringEntryProto("key", "value"));
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = "local.ops", Version = 1 });
        graph.Name = "not an identifier";
        graph.Input.Add(new ValueInfoProto { Name = "untyped" });
        graph.Input.Add(Typed("rank_unknown", new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float16 } }));
        graph.Input.Add(Typed("a_sequence", new TypeProto { SequenceType = new TypeProto.Sequence { ElemType = graph.Input[0].Type } }));
        graph.Input.Add(
            Typed(
                "a_map",
                new TypeProto { MapType = new TypeProto.Map { KeyType = TensorDataType.String, ValueType = graph.Input[0].Type } }));
        graph.Input.Add(Typed("an_optional", new TypeProto { OptionalType = new TypeProto.Optional { ElemType = graph.Input[0].Type } }));
        graph.Input.Add(Symbolic("symbolic", "batch", "2 * n"));
        graph.ValueInfo.Add(Sample.Value("m", 1, 4));
        graph.Initializer[1].ExternalGroup = "high";
        graph.Initializer.Add(TensorProto.FromFloats("special", [4], [float.NaN, float.PositiveInfinity, -0f, 1e-10f]));
        graph.Initializer.Add(TensorProto.FromBytes("packed", TensorDataType.Int4, [3], [0x21, 0x03]));
        graph.Initializer.Add(TensorProto.FromInt64s("scalar", [], [-5]));
        var text = new TensorProto { Name = "text", DataType = TensorDataType.String };
        text.Dims.Add(1);
        text.StringData.Add("s"u8.ToArray());
        graph.Initializer.Add(text);
        graph.SparseInitializer.Add(
            new SparseTensorProto { Values = TensorProto.FromFloats("sparse", [1], [2]), Indices = TensorProto.FromInt64s("", [1], [3]) });
        graph.SparseInitializer[0].Dims.Add(9);
        graph.Node[0].Name = "/layer/MatMul";
        graph.Node.Add(
            Sample.Node(
                "Resize", ["x", "", "m", ""], ["r"], AttributeProto.FloatList("f", 1, 2.5f), AttributeProto.StringList("s", "a", "b")));
        graph.Node.Add(Sample.Node("Constant", [], ["k"], AttributeProto.Tensor("value", TensorProto.FromFloats("", [17], new float[17]))));
        var branch = new GraphProto { Name = "branch" };
        branch.Node.Add(Sample.Node("Identity", ["x"], ["z"]));
        branch.Initializer.Add(TensorProto.FromInt64s("in_branch", [2], [1, 2]));
        graph.Node.Add(
            Sample.Node("If", ["c"], ["z"], AttributeProto.Graph("then_branch", branch), AttributeProto.Graph("else_branch", branch)));
        graph.Node[^1].MetadataProps.Add(new StringStringEntryProto("origin", "test"));
        graph.Node.Add(Sample.Node("f", ["x"], ["q"]));
        (graph.Node[^1].Domain, graph.Node[^1].Overload) = ("local.ops", "v2");

        var function = new FunctionProto { Name = "f", Domain = "local.ops", Overload = "v2" };
        function.OpsetImport.Add(model.OpsetImport[0]);
        function.Input.Add("x");
        function.Output.Add("y");
        function.Attribute.Add("slope");
        function.AttributeProto.Add(AttributeProto.Int("axis", 1));
        function.Node.Add(
            Sample.Node(
                "LeakyRelu", ["x"], ["y"], new AttributeProto { Name = "alpha", Type = AttributeType.Float, RefAttrName = "slope" }));
        model.Functions.Add(function);
        return model;
    }

    private static ValueInfoProto Typed(string name, TypeProto type) => new() { Name = name, Type = type };

    private static ValueInfoProto Symbolic(string name, params string[] symbols)
    {
        var value = Sample.Value(name);
        value.Type!.TensorType!.Shape!.Dim.AddRange(symbols.Select(s => new TensorShapeProto.Dimension { DimParam = s }));
        value.Type.TensorType.Shape.Dim.Add(new TensorShapeProto.Dimension());
        return value;
    }
}
