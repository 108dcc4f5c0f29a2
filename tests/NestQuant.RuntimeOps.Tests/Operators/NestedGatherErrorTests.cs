using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>Tables that lie, and indices of rows that a table does not have.</summary>
public class NestedGatherErrorTests
{
    private static readonly Dictionary<string, (string Expected, Action<NodeModel> Apply)> TableFaults = new()
    {
        ["no shape"] = ("'shape' is missing", m => m.Without("shape")),
        ["no channel view"] = ("'channel_view' is missing", m => m.Without("channel_view")),
        ["shape and view differ"] = ("does not cover", m => m.With(AttributeProto.IntList("shape", 7, 21))),
        ["rows as taps"] = ("does not fit a table of 7 rows", m => m.With(AttributeProto.IntList("channel_view", 7, 5, 1, 4))),
        ["columns as channels"] = ("does not fit a table of 7 rows", m => m.With(AttributeProto.IntList("channel_view", 1, 7, 20, 1))),
        ["other rows than the view"] = ("does not fit a table of 20 rows", m => m.With(AttributeProto.IntList("shape", 20, 7))),
        ["more rows than the operands"] = (
            "'W_high' has",
            m => m.With(AttributeProto.IntList("shape", 70, 20)).With(AttributeProto.IntList("channel_view", 70, 20, 1, 1))),
        ["as many rows as there are integers"] = (
            "is too large for one operand",
            m => m.With(AttributeProto.IntList("shape", int.MaxValue, 20))
                .With(AttributeProto.IntList("channel_view", int.MaxValue, 20, 1, 1))),
        ["shape that overflows"] = ("too many elements", m => m.With(AttributeProto.IntList("shape", 1 << 30, 1 << 30, 1 << 30))),
        ["high too short"] = ("'W_high' has", m => m.Constant(NestedModels.Operand("W_high", new byte[100]))),
        ["low too long"] = ("'W_low' has", m => m.Constant(NestedModels.Operand("W_low", new byte[4000]))),
        ["low missing at full precision"] = ("W_low is missing", m => m.Absent("W_low")),
        ["rows of another compile"] = (
            "'W_high' belongs to another compilation",
            m => m.Constant(NestedModels.Operand("W_high", NestedModels.SmallGemm(1, seed: 9).HighBytes))),
        ["fewer scales than rows"] = ("'w_scale' has 3", m => m.Constant(TensorProto.FromFloats("w_scale", [3], [1, 1, 1]))),
        ["scale of zero"] = ("w_scale[6] is 0", m => m.Constant(TensorProto.FromFloats("w_scale", [7], [1, 1, 1, 1, 1, 1, 0]))),
        ["bits below one"] = ("nest_bits is 0", m => m.Default(TensorProto.FromInt32s("bits", [], [0]))),
        ["indices of floats"] = (
            "'indices' has element type 1, Int64 expected", m => m.Fed("indices", TensorDataType.Float, 1)),
    };

    public static TheoryData<string, string> BadTables() => OperatorErrorTests.Names(TableFaults);

    [Theory]
    [MemberData(nameof(BadTables))]
    public void A_bad_table_is_an_error_that_names_the_node(string fault, string expected)
    {
        NodeModel model = Model();
        TableFaults[fault].Apply(model);
        bool isFloat = fault == "indices of floats";
        OrtValue indices = isFloat ? SessionRuns.Tensor<float>([1], 1) : SessionRuns.Tensor<long>([1], 1);
        OperatorErrorTests.Expect(expected, model, ("indices", indices));
    }

    [Theory]
    [InlineData(7)]
    [InlineData(-8)]
    [InlineData(1L << 32)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void An_index_of_no_row_is_an_error(long index)
    {
        using InferenceSession session = Model().Open();
        string message = OperatorErrorTests.RunFails(session, ("indices", SessionRuns.Tensor<long>([0, index], 2)));
        Assert.Contains(
            $"NestedGather node 'subject': indices[1] is {index}: the table has 7 rows, so that indices go from -7 to 6",
            message,
            StringComparison.Ordinal);
        Assert.Equal(20, session.Run(("indices", SessionRuns.Tensor<long>([6], 1))).Data.Length);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void An_index_of_32_bits_is_checked_too(int index)
    {
        using InferenceSession session = NestedModels.Gather(NestedGatherTests.Table(7, 20, "8:6"), TensorDataType.Int32, [20], 1).Open();
        string message = OperatorErrorTests.RunFails(session, ("indices", SessionRuns.Tensor<int>([index], 1)));
        Assert.Contains($"indices[0] is {index}", message, StringComparison.Ordinal);
    }

    private static NodeModel Model() =>
        NestedModels.Gather(NestedGatherTests.Table(7, 20, "8:6"), TensorDataType.Int64, [20], -1);
}
