using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Operators;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.GroupNL;

/// <summary>Models that lie about an expansion. Each must end in an ONNX Runtime error that names the node.</summary>
public class GroupNLErrorTests
{
    public static TheoryData<string, string> BadExpansions() => OperatorErrorTests.Names(Faults);

    [Theory]
    [MemberData(nameof(BadExpansions))]
    public void A_bad_expansion_is_an_error_that_names_the_node(string fault, string expected)
    {
        NodeModel model = GroupNLModels.Expand(new ExpansionCase(1, 4, [6, 5], [3, 0, 1], seed: 4, hasAffine: true, activation: "clip"));
        Faults[fault].Apply(model);
        OperatorErrorTests.Expect(expected, model, ("X", SessionRuns.Tensor(new float[120], 1, 4, 6, 5)));
    }

    [Theory]
    [MemberData(nameof(BadExpansions))]
    public void The_nested_operator_has_the_same_errors(string fault, string expected)
    {
        // Its attribute channels_last is implied and not read.
        if (fault.Contains("channels_last", StringComparison.Ordinal))
            return;
        ConvolutionCase c = NestedModels.SmallConv();
        NodeModel model = NestedGroupNLConvTests.Small(c);
        Faults[fault].Apply(model);
        OperatorErrorTests.Expect(expected, model, ("X", SessionRuns.Tensor(c.X, 1, 6, 5, 3)));
    }

    [Theory]
    [InlineData("operands too short", "'W_high' has")]
    [InlineData("bits not allowed", "nest_bits is 0")]
    [InlineData("bias of the convolution too long", "'B' has 7 elements")]
    [InlineData("group that does not divide", "'group' is 3")]
    public void The_nested_operator_checks_its_convolution_too(string fault, string expected)
    {
        ConvolutionCase c = NestedModels.SmallConv();
        NodeModel model = NestedGroupNLConvTests.Small(c);
        _ = fault switch
        {
            "operands too short" => model.Constant(TensorProto.FromBytes("W_high", TensorDataType.UInt8, [3], new byte[3])),
            "bits not allowed" => model.Default(TensorProto.FromInt32s("bits", [], [0])),
            "bias of the convolution too long" => model.Constant(TensorProto.FromFloats("B", [7], new float[7])),
            _ => model.With(AttributeProto.Int("group", 3)),
        };
        OperatorErrorTests.Expect(expected, model, ("X", SessionRuns.Tensor(c.X, 1, 6, 5, 3)));
    }

    [Theory]
    [InlineData(new long[] { 1, 3, 6, 5 }, "names seed map 3, and there are 3")]
    [InlineData(new long[] { 1, 5, 6, 5 }, "'scale' has 7 elements, 8 expected")]
    [InlineData(new long[] { 4 }, "X has the shape [4]")]
    [InlineData(new long[] { }, "X has the shape []")]
    [InlineData(new long[] { 1, 0, 6, 5 }, "there are 0 seed maps")]
    public void Maps_that_do_not_fit_the_parameters_are_refused(long[] shape, string expected)
    {
        ModelProto model = GroupNLModels.Expand(new ExpansionCase(1, 4, [6, 5], [3, 0, 1], seed: 4, hasAffine: true)).Build();
        model.Graph!.Input.First(i => i.Name == "X").Type!.TensorType!.Shape = null;
        using InferenceSession session = NodeModel.Open(ModelFile.ToBytes(model), 1);
        string message = OperatorErrorTests.RunFails(
            session, ("X", SessionRuns.Tensor(new float[shape.Aggregate(1L, (a, b) => a * b)], shape)));
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("subject", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X")]
    [InlineData("shift")]
    [InlineData("period")]
    public void A_required_input_that_nobody_fed_is_an_error(string input)
    {
        ModelProto model = GroupNLModels.Expand(new ExpansionCase(1, 4, [6, 5], [3, 0, 1], seed: 4)).Build();
        model.Graph!.Initializer.RemoveAll(t => t.Name == input);
        model.Graph.Input.RemoveAll(i => i.Name == input);
        model.Graph.Input.Add(
            new ValueInfoProto
            {
                Name = input,
                Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float } },
            });
        model.Graph.Input.Add(
            new ValueInfoProto
            {
                Name = "unused",
                Type = new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float } },
            });
        using InferenceSession session = NodeModel.Open(ModelFile.ToBytes(model), 1);
        OrtValue x = SessionRuns.Tensor(new float[120], 1, 4, 6, 5);
        string message = OperatorErrorTests.RunFails(session, (input == "X" ? "unused" : "X", x));
        Assert.Contains($"input '{input}' has no value", message, StringComparison.Ordinal);
        Assert.Contains("subject", message, StringComparison.Ordinal);
    }

    private static readonly Dictionary<string, (string Expected, Action<NodeModel> Apply)> Faults = new()
    {
        ["no source"] = ("'source' is missing", m => m.Without("source")),
        ["source of floats"] = ("'source' is missing or not a list of ints", m => m.With(AttributeProto.Float("source", 1))),
        ["source beyond the seeds"] = (
            "names seed map 4, and there are 4 seed maps", m => m.With(AttributeProto.IntList("source", 3, 4, 1))),
        ["source far beyond the seeds"] = ("names seed map 4294967296", m => m.With(AttributeProto.IntList("source", 3, 1L << 32, 1))),
        ["source at the end of int32"] = ("names seed map 2147483647", m => m.With(AttributeProto.IntList("source", 3, int.MaxValue, 1))),
        ["source that would need much memory"] = (
            "names seed map 2147483646, and", m => m.With(AttributeProto.IntList("source", 3, int.MaxValue - 1, 1))),
        ["negative source"] = ("names seed map -1", m => m.With(AttributeProto.IntList("source", 3, -1, 1))),
        ["more sources than shifts"] = ("'shift' has 3 elements, 4 expected", m => m.With(AttributeProto.IntList("source", 3, 0, 1, 2))),
        ["unknown function"] = ("'function' is 'cosine': sine, gaussian", m => m.With(AttributeProto.String("function", "cosine"))),
        ["power of 1"] = (
            "'power' is 1: 2 to 16", m => m.With(AttributeProto.String("function", "monomial")).With(AttributeProto.Int("power", 1))),
        ["power of 17"] = (
            "'power' is 17: 2 to 16", m => m.With(AttributeProto.String("function", "monomial")).With(AttributeProto.Int("power", 17))),
        ["function of ints"] = ("'function' is not a string", m => m.With(AttributeProto.Int("function", 1))),
        ["epsilon of 0"] = ("'epsilon' is 0", m => m.With(AttributeProto.Float("epsilon", 0))),
        ["negative epsilon"] = ("'epsilon' is -1", m => m.With(AttributeProto.Float("epsilon", -1))),
        ["subnormal epsilon"] = ("'epsilon' is 1E-40", m => m.With(AttributeProto.Float("epsilon", 1e-40f))),
        ["epsilon that is not finite"] = ("'epsilon' is Infinity", m => m.With(AttributeProto.Float("epsilon", float.PositiveInfinity))),
        ["epsilon that is not a number"] = ("'epsilon' is NaN", m => m.With(AttributeProto.Float("epsilon", float.NaN))),
        ["epsilon of ints"] = ("'epsilon' is not a float", m => m.With(AttributeProto.Int("epsilon", 1))),
        ["channels_last of 2"] = ("'channels_last' is 2", m => m.With(AttributeProto.Int("channels_last", 2))),
        ["channels_last of floats"] = ("'channels_last' is not an int", m => m.With(AttributeProto.Float("channels_last", 1))),
        ["unknown activation"] = (
            "'activation' is 'gelu': none, clip and hardswish", m => m.With(AttributeProto.String("activation", "gelu"))),
        ["clip the wrong way round"] = ("not the bounds of a clip", m => Clip(m, 1, 0)),
        ["clip without bounds"] = ("not the bounds of a clip", m => Clip(m, 0, float.NaN)),
        ["short period"] = ("'period' has 2 elements, 3 expected", m => m.Constant(TensorProto.FromFloats("period", [2], [1, 1]))),
        ["long shift"] = ("'shift' has 4 elements, 3 expected", m => m.Constant(TensorProto.FromFloats("shift", [4], [1, 1, 1, 1]))),
        ["short scale"] = ("'scale' has 3 elements, 7 expected", m => m.Constant(TensorProto.FromFloats("scale", [3], [1, 1, 1]))),
        ["long bias"] = ("'bias' has 8 elements, 7 expected", m => m.Constant(TensorProto.FromFloats("bias", [8], new float[8]))),
        ["shift of integers"] = ("shift", m => m.Constant(TensorProto.FromInt32s("shift", [3], [1, 1, 1]))),
    };

    private static NodeModel Clip(NodeModel model, float min, float max) => model
        .With(AttributeProto.String("activation", "clip"))
        .With(AttributeProto.Float("activation_min", min))
        .With(AttributeProto.Float("activation_max", max));
}
