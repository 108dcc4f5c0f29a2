using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Schema;

/// <summary>ONNX Runtime and the kernels agree with the schema.</summary>
public class OperatorSetTests
{
    public static TheoryData<string> Names() => [.. OperatorSet.All.Select(schema => schema.Name)];

    public static TheoryData<string, string> OptionalInputs() => Inputs(isOptional: true);

    public static TheoryData<string, string> RequiredInputs() => Inputs(isOptional: false);

    public static TheoryData<string, string> Attributes()
    {
        TheoryData<string, string> data = [];
        foreach (OperatorSchema schema in OperatorSet.All)
            foreach (AttributeSchema attribute in schema.Attributes)
                data.Add(schema.Name, attribute.Name);
        return data;
    }

    [Fact]
    public void Every_operator_is_implemented_once() => Assert.Equal(OperatorSet.All, OperatorCatalog.All.Select(op => op.Schema));

    [Theory]
    [MemberData(nameof(OptionalInputs))]
    public void An_optional_input_may_be_absent(string op, string input) => Model(op).Absent(input).Open().Dispose();

    [Theory]
    [MemberData(nameof(RequiredInputs))]
    public void A_required_input_may_not_be_absent(string op, string input) =>
        Assert.ThrowsAny<OnnxRuntimeException>(() => Model(op).Absent(input).Open());

    [Theory]
    [MemberData(nameof(OptionalInputs))]
    [MemberData(nameof(RequiredInputs))]
    public void An_input_of_another_type_is_refused(string op, string input)
    {
        // Of an input that may have two types ONNX Runtime knows none: its kernel says so (NestedGatherErrorTests).
        InputSchema schema = OperatorSet.Find(op)![input];
        if (schema.OtherType != ElementType.Undefined)
            return;
        (TensorDataType type, string name) =
            schema.Type == ElementType.Int64 ? (TensorDataType.Float, "float") : (TensorDataType.Int64, "int64");
        NodeModel model = Model(op).Fed(input, type, 1);
        string message = Assert.ThrowsAny<OnnxRuntimeException>(() => model.Open()).Message;
        Assert.Contains(name, message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Attributes))]
    public void An_attribute_may_be_absent_unless_it_is_required(string op, string attribute)
    {
        AttributeSchema schema = OperatorSet.Find(op)!.Attributes.Single(known => known.Name == attribute);
        // What the operands are cannot be changed by leaving the tag out: layout version 1 has none.
        bool isRequired = schema.IsRequired || schema == OperatorAttributes.WeightTag;
        NodeModel model = Model(op).Without(attribute);
        if (!isRequired)
            model.Open().Dispose();
        else
            Assert.Contains(
                $"'{attribute}' is", Assert.ThrowsAny<OnnxRuntimeException>(() => model.Open()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void An_output_of_another_type_is_refused(string op)
    {
        Model(op).Open().Dispose();
        Assert.ThrowsAny<OnnxRuntimeException>(() => Model(op, TensorDataType.Int32).Open());
    }

    [Fact]
    public void An_unknown_input_is_an_error_of_the_caller() =>
        Assert.Throws<ArgumentException>(() => OperatorSet.GroupNLExpand[InputNames.WeightHigh]);

    private static TheoryData<string, string> Inputs(bool isOptional)
    {
        TheoryData<string, string> data = [];
        foreach (OperatorSchema schema in OperatorSet.All)
            foreach (InputSchema input in schema.Inputs.Where(input => input.IsOptional == isOptional))
                data.Add(schema.Name, input.Name);
        return data;
    }

    /// <summary>A model whose inputs are all fed, so that nothing but their types is known, with all attributes.</summary>
    private static NodeModel Model(string op, TensorDataType? outputType = null)
    {
        OperatorSchema schema = OperatorSet.Find(op)!;
        NodeModel model = new(op) { OutputType = outputType ?? (TensorDataType)(int)schema.Output.Type };
        foreach (InputSchema input in schema.Inputs)
            model.Fed(input.Name, (TensorDataType)(int)input.Type, 1);
        foreach (AttributeSchema attribute in schema.Attributes)
            model.With(Value(attribute, schema));
        return model;
    }

    private static AttributeProto Value(AttributeSchema attribute, OperatorSchema schema) => attribute switch
    {
        _ when attribute == OperatorAttributes.FullBits => AttributeProto.Int(attribute.Name, 8),
        _ when attribute == OperatorAttributes.HighBits => AttributeProto.Int(attribute.Name, 6),
        _ when attribute == OperatorAttributes.Levels => AttributeProto.IntList(attribute.Name, 8, 6),
        _ when attribute == OperatorAttributes.LayoutVersion => AttributeProto.Int(attribute.Name, 2),
        _ when attribute == OperatorAttributes.WeightTag => AttributeProto.String(attribute.Name, "0123456789abcdef"),
        _ when attribute == OperatorAttributes.Shape =>
            AttributeProto.IntList(attribute.Name, schema.IsConvolution ? [4, 3, 3, 3] : [7, 20]),
        _ when attribute == OperatorAttributes.ChannelView => AttributeProto.IntList(attribute.Name, 7, 20, 1, 1),
        _ when attribute == OperatorAttributes.Pads => AttributeProto.IntList(attribute.Name, 0, 0, 0, 0),
        _ when attribute == OperatorAttributes.BlockSize => AttributeProto.Int(attribute.Name, 2),
        IntAttribute known => AttributeProto.Int(known.Name, known.Default),
        FloatAttribute known => AttributeProto.Float(known.Name, known.Default),
        StringAttribute known => AttributeProto.String(known.Name, known.Default),
        _ => AttributeProto.IntList(attribute.Name, 1, 1),
    };
}
