using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>Nested operators that somebody has changed are refused in one line, by everything that reads them.</summary>
public sealed class DamagedOperatorTests
{
    public static TheoryData<string, long[]> Damages => new()
    {
        { AttributeNames.FullBits, [0] },
        { AttributeNames.FullBits, [9] },
        { AttributeNames.FullBits, [(1L << 32) + 8] },
        { AttributeNames.HighBits, [8] },
        { AttributeNames.HighBits, [-6] },
        { AttributeNames.Levels, [8, 7] },
        { AttributeNames.Levels, [6, 8] },
        { AttributeNames.Levels, [8, 7, 6] },
        { AttributeNames.Levels, [8, (1L << 32) + 6] },
        { AttributeNames.Levels, [] },
        { AttributeNames.LayoutVersion, [99] },
        { AttributeNames.Shape, [4, 2, 1, 1] },
        { AttributeNames.Shape, [-4, -3, 1, 1] },
        { AttributeNames.Shape, [12] },
        { AttributeNames.Shape, [] },
        { AttributeNames.Shape, [1L << 62, 1L << 62, 1L << 62, 1L << 62] },
        { AttributeNames.ChannelView, [1, 3, 4] },
        { AttributeNames.ChannelView, [-1, 3, -4, 1] },
        { AttributeNames.ChannelView, [1L << 32, 3, 4, 1] },
        { AttributeNames.ChannelView, [1L << 31, 1L << 31, 1L << 31, 1L << 31] },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void AttributesOutOfRangeAreSaid(string attribute, long[] values)
    {
        ModelProto model = Compiled();
        NodeProto node = model.AllNodes().First(SchemaNodes.IsNested);
        bool isList = attribute is AttributeNames.Shape or AttributeNames.ChannelView or AttributeNames.Levels;
        node.SetAttribute(isList ? AttributeProto.IntList(attribute, values) : AttributeProto.Int(attribute, values[0]));

        string message = Assert.Throws<ModelException>(() => NestedOperator.Of(model)).Message;

        Assert.Contains("'y' is damaged", message, StringComparison.Ordinal);
        if (attribute is AttributeNames.FullBits or AttributeNames.HighBits) Assert.Throws<ModelException>(() => PartModel.From(model));
    }

    [Fact]
    public void ScalesOfAnotherLengthAreSaid()
    {
        ModelProto model = Compiled();
        NodeProto node = model.AllNodes().First(SchemaNodes.IsNested);
        model.Graph!.Initializer.Add(TensorProto.FromFloats("short", [1], [1]));
        int position = node.PositionOf(InputNames.PartScale);
        while (node.Input.Count <= position) node.Input.Add("");
        node.Input[position] = "short";

        string message = Assert.Throws<ModelException>(() => NestedOperator.Of(model)).Message;

        Assert.Contains("'y' is damaged: an operand has another length", message, StringComparison.Ordinal);
    }

    private static ModelProto Compiled()
    {
        ModelProto model = new GraphBuilder().Input("x", 1, 3, 2, 2).Random("W", 32, 3, 1, 1).Node("y = Conv(x, W)").Output("y").Model();
        NestQuantCompiler.CompileInPlace(model, new CompilerOptions { Weights = new() { Bits = new NestedBits(8, 6) } });
        return model;
    }
}
