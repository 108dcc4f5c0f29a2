using NestQuant.Onnx.Files;
using NestQuant.Onnx.Text;
using NestQuant.TestSupport;
using Snapshooter.Xunit;

namespace NestQuant.Onnx.Tests.Text;

public class DiffTests
{
    [Fact]
    public void EqualModelsHaveNoDifferenceWhateverTheirStorage()
    {
        var typed = Sample.Linear();
        var tensor = new TensorProto { Name = "b", DataType = TensorDataType.Float };
        tensor.Dims.Add(4);
        tensor.FloatData.AddRange([1, 2, 3, 4]);
        typed.Graph!.Initializer[1] = tensor;

        var difference = ModelDiff.Compare(Sample.Linear(), typed);
        Assert.True(difference.IsEmpty);
        Assert.Equal("", difference.ToString());
    }

    [Fact]
    public void EveryKindOfChangeIsShown()
    {
        var a = Sample.Linear();
        var b = Sample.Linear();
        b.ProducerName = "other";
        b.MetadataProps.Add(new StringStringEntryProto("nestquant.version", "1"));
        b.OpsetImport[0].Version = 18;
        b.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.nestquant", Version = 1 });
        b.Graph!.Output[0] = Sample.Value("y", 1, 5);
        b.Graph.Initializer[0] = TensorProto.FromInt32s("w", [2], [1, 2]);
        b.Graph.Initializer.RemoveAt(1);
        b.Graph.Initializer.Add(TensorProto.FromFloats("extra", [1], [1]));
        b.Graph.Node.Insert(1, Sample.Node("Relu", ["m"], ["n"]));
        b.Graph.Node[2].Input[0] = "n";
        b.Functions.Add(new FunctionProto { Name = "f", Domain = "d" });

        Snapshot.Match(ModelDiff.Compare(a, b).ToString());
        Assert.False(ModelDiff.Compare(b, a).IsEmpty);
    }

    [Fact]
    public void RenamedValuesChangeNodesAndDoNotShiftTheRest()
    {
        var a = ModelFile.Load(TemporaryFolder.GoldenModel("digits-cnn.onnx"));
        var b = ModelFile.Load(TemporaryFolder.GoldenModel("digits-cnn.onnx"));
        b.Graph!.Node[1].Output[0] = "renamed";
        b.Graph.Node[2].Input[0] = "renamed";
        b.Graph.Node.RemoveAt(5);

        var changes = ModelDiff.Compare(a, b).Changes;
        Assert.Equal(
            [ChangeKind.Changed, ChangeKind.Changed, ChangeKind.Removed],
            changes.Select(c => c.Kind));
        Assert.All(changes, c => Assert.Equal("nodes", c.Section));
    }

    [Fact]
    public void OrderOfInputsMatters()
    {
        var a = Sample.Linear();
        var b = Sample.Linear();
        a.Graph!.Input.Add(Sample.Value("x2", 1));
        b.Graph!.Input.Insert(0, Sample.Value("x2", 1));
        Assert.Equal("inputs:\n- order: x, x2\n+ order: x2, x\n", ModelDiff.Compare(a, b).ToString());
    }

    [Fact]
    public void ChangesInsideSubgraphsAndFunctionsAreFound()
    {
        Assert.Single(ModelDiff.Compare(Nested("Relu"), Nested("Sigmoid")).Changes, c => c.Section == "nodes");
        Assert.Single(
            ModelDiff.Compare(Nested("Relu"), Nested("Sigmoid")).Changes,
            c => c.Section == "nodes of function d.f" && c.Kind == ChangeKind.Added);

        static ModelProto Nested(string opType)
        {
            var model = Sample.Linear();
            var body = new GraphProto { Name = "body" };
            body.Node.Add(Sample.Node(opType, ["x"], ["z"]));
            model.Graph!.Node.Add(Sample.Node("If", ["c"], ["z"], AttributeProto.Graph("then_branch", body)));
            model.Functions.Add(new FunctionProto { Name = "f", Domain = "d" });
            model.Functions[0].Node.Add(Sample.Node(opType, ["x"], ["y"]));
            return model;
        }
    }
}
