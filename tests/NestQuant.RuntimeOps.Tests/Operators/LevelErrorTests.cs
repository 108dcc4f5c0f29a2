using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>Models that lie about their levels.</summary>
public class LevelErrorTests
{
    private static readonly Dictionary<string, (string Expected, Action<NodeModel> Apply)> LevelFaults = new()
    {
        ["levels that ascend"] = ("'levels' [4, 6, 8] does not descend from n to h, here from 8 to 4", m => m.With(Levels(4, 6, 8))),
        ["levels twice"] = ("'levels' [8, 6, 6, 4] does not descend", m => m.With(Levels(8, 6, 6, 4))),
        ["levels from another n"] = ("'levels' [7, 6, 4] does not descend", m => m.With(Levels(7, 6, 4))),
        ["levels to another h"] = ("'levels' [8, 6, 3] does not descend", m => m.With(Levels(8, 6, 3))),
        ["another n"] = ("'levels' [8, 6, 4] does not descend", m => m.With(AttributeProto.Int("n", 7))),
        ["another h"] = ("'levels' [8, 6, 4] does not descend", m => m.With(AttributeProto.Int("h", 5))),
        ["one level"] = ("'levels' [8] does not descend", m => m.With(Levels(8))),
        ["levels beyond 32 bits"] = ("does not descend", m => m.With(Levels(8, (1L << 32) + 6, 4))),
        ["levels below zero"] = ("does not descend", m => m.With(Levels(8, -6, 4))),
        ["too many levels"] = ("'levels' has 8 values", m => m.With(Levels(8, 7, 6, 5, 4, 3, 2, 1))),
        ["levels of one int"] = ("'levels' is not a list", m => m.With(AttributeProto.Int("levels", 8))),
        ["levels of text"] = ("'levels' is not a list", m => m.With(AttributeProto.String("levels", "8:6:4"))),
        ["two levels in the layout of more"] = (
            "layout_version is 3: the levels 8:4 need version 1, 2 or 4",
            m => m.Without("levels").With(AttributeProto.Int("layout_version", 3))),
        ["more levels in the layout of two"] = (
            "layout_version is 2: the levels 8:6:4 need version 3 or 4", m => m.With(AttributeProto.Int("layout_version", 2))),
        ["other levels than the operands"] = ("'W_low' has", m => m.With(Levels(8, 5, 4))),
        ["more levels than the operands"] = ("'W_low' has", m => m.With(Levels(8, 6, 5, 4))),
        ["step too short"] = ("'W_low_2' has 100", m => m.Constant(NestedModels.Operand("W_low_2", new byte[100]))),
        ["step empty"] = ("'W_low_2' has 0", m => m.Constant(NestedModels.Operand("W_low_2", []))),
        ["step of floats"] = ("W_low_2", m => m.Constant(TensorProto.FromFloats("W_low_2", [1], [1]))),
        ["step missing at full precision"] = ("W_low_2 is missing", m => m.Absent("W_low_2")),
        ["part scale of one level"] = (
            "'part_scale' has the shape [1, 4], [2, 4] expected", m => m.Constant(Rows("part_scale", [1, 4], 1))),
        ["part scale of fewer channels"] = (
            "'part_scale' has the shape [2, 3], [2, 4] expected", m => m.Constant(Rows("part_scale", [2, 3], 1))),
        ["part scale in one dimension"] = (
            "'part_scale' has the shape [8], [2, 4] expected", m => m.Constant(Rows("part_scale", [8], 1))),
        ["part scale the other way round"] = (
            "'part_scale' has the shape [4, 2], [2, 4] expected", m => m.Constant(Rows("part_scale", [4, 2], 1))),
        ["part scale of integers"] = ("part_scale", m => m.Constant(TensorProto.FromInt32s("part_scale", [2, 4], new int[8]))),
    };

    private static readonly Dictionary<string, (string Expected, Action<NodeModel> Apply)> BiasFaults = new()
    {
        ["part bias of one level"] = (
            "'part_bias' has the shape [1, 4], [2, 4] expected", m => m.Constant(Rows("part_bias", [1, 4], 0))),
        ["part bias in one dimension"] = (
            "'part_bias' has the shape [8], [2, ", m => m.Constant(Rows("part_bias", [8], 0))),
        ["part bias without dimensions"] = ("'part_bias' has the shape [], [2, ", m => m.Constant(Rows("part_bias", [], 0))),
        ["part bias of integers"] = ("part_bias", m => m.Constant(TensorProto.FromInt32s("part_bias", [2, 4], new int[8]))),
        ["bias of fewer channels"] = ("'B' has 3 elements", m => m.Constant(Rows("B", [3], 0))),
    };

    private static readonly ConvolutionGeometry Geometry = NestedModels.SmallConv().Geometry;

    private static readonly ConvolutionCase Full = LevelTests.Levels(Geometry, "8:6:4", hasPartRows: true)[0];

    public static TheoryData<string, string> BadLevels() => OperatorErrorTests.Names(LevelFaults);

    public static TheoryData<string, string> BadBiases() => OperatorErrorTests.Names(BiasFaults);

    [Theory]
    [MemberData(nameof(BadLevels))]
    public void Bad_levels_are_an_error_that_names_the_node(string fault, string expected)
    {
        NodeModel convolution = NestedModels.Conv(Full), weight = NestedModels.DequantizeLinear(Full, 4, 3, 3, 3);
        NodeModel table = NestedModels.Gather(NestedGatherTests.Table(4, 27, "8:6:4"), TensorDataType.Int64, [27], 1);
        LevelFaults[fault].Apply(convolution);
        LevelFaults[fault].Apply(weight);
        OperatorErrorTests.Expect(expected, convolution, Image());
        OperatorErrorTests.Expect(expected, weight);
        LevelFaults[fault].Apply(table);
        OperatorErrorTests.Expect(expected, table, ("indices", SessionRuns.Tensor<long>([3], 1)));
    }

    [Theory]
    [MemberData(nameof(BadBiases))]
    public void A_bad_bias_is_an_error_that_names_the_node(string fault, string expected)
    {
        NodeModel bias = NestedModels.Bias(Full), convolution = NestedModels.Conv(Full);
        BiasFaults[fault].Apply(bias);
        BiasFaults[fault].Apply(convolution);
        OperatorErrorTests.Expect(expected, bias);
        OperatorErrorTests.Expect(expected, convolution, Image());
    }

    [Fact]
    public void A_bias_without_rows_is_refused() =>
        Assert.Throws<OnnxRuntimeException>(() => NestedModels.Bias(Full).Remove("part_bias").Open().Dispose());

    [Theory]
    [InlineData(0f, 6, "part_scale[1] is 0 at 6 bits")]
    [InlineData(-1f, 6, "part_scale[1] is -1 at 6 bits")]
    [InlineData(float.NaN, 4, "part_scale[1] is NaN at 4 bits")]
    [InlineData(float.PositiveInfinity, 4, "part_scale[1] is")]
    public void A_scale_that_is_none_is_refused_by_the_run_that_reads_it(float scale, int bits, string expected)
    {
        float[] scales = Enumerable.Repeat(1f, 8).ToArray();
        scales[bits == 6 ? 1 : 5] = scale;
        using InferenceSession session = NestedModels.Conv(Full).Constant(TensorProto.FromFloats("part_scale", [2, 4], scales)).Open();
        session.Run(Image());
        string message = OperatorErrorTests.RunFails(session, Image(), ("bits", SessionRuns.Tensor<int>([bits])));
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains("subject", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("W_high", 0)]
    [InlineData("W_low", 1)]
    [InlineData("W_low_2", 2)]
    public void An_operand_of_another_compile_or_step_is_refused_when_the_session_is_made(string input, int step)
    {
        ConvolutionCase other = new(Geometry, Full.Layout.Bits, 7, 0, Full.Level);
        OpenFails(NestedModels.Operand(input, other.Operands[step]), $"input '{input}' belongs to another compilation");

        // The operands of both steps are equally long.
        if (step > 0)
            OpenFails(
                NestedModels.Operand(input, Full.Operands[3 - step]),
                $"input '{input}' is the low operand that leads to {(step == 1 ? 8 : 6)} bits of a weight");

        static void OpenFails(TensorProto operand, string expected)
        {
            NodeModel model = NestedModels.Conv(Full).Constant(operand).Default(TensorProto.FromInt32s("bits", [], [4]));
            Assert.Contains(
                expected, Assert.Throws<OnnxRuntimeException>(() => model.Open().Dispose()).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(6, false)]
    public void A_step_that_a_run_feeds_is_checked_by_the_run_that_reads_it(int bits, bool isRead)
    {
        ConvolutionCase other = new(Geometry, Full.Layout.Bits, 7, 0, Full.Level);
        string input = InputNames.WeightStep(2);
        using InferenceSession session = NestedModels.Conv(Full).Default(NestedModels.Operand(input, Full.Operands[2])).Open();
        (string, OrtValue) precision = ("bits", SessionRuns.Tensor<int>([bits]));
        (string, OrtValue) fed = (input, SessionRuns.Tensor(other.Operands[2], other.Operands[2].Length));
        if (isRead)
            Assert.Contains(
                "belongs to another compilation", OperatorErrorTests.RunFails(session, Image(), precision, fed), StringComparison.Ordinal);
        else
            session.Run(Image(), precision, fed);
    }

    private static (string, OrtValue) Image() => ("X", SessionRuns.Tensor(Full.X, 1, 6, 5, 3));

    private static AttributeProto Levels(params long[] levels) => AttributeProto.IntList(AttributeNames.Levels, levels);

    private static TensorProto Rows(string name, long[] shape, float value) => TensorProto.FromFloats(
        name, shape, [.. Enumerable.Repeat(value, (int)shape.Aggregate(1L, static (product, extent) => product * extent))]);
}
