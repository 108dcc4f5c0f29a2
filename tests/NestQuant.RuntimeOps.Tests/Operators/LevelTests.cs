using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>Weights of two and more levels with scales and biases of their own, in ONNX Runtime.</summary>
public class LevelTests
{
    private static readonly Requantization Requantization = new(0.5f, 120);

    public static TheoryData<string, int> EveryLevel()
    {
        TheoryData<string, int> data = [];
        foreach (string bits in new[] { "8:6", "8:6:4:3:2", "8:7:6:5:4:3:2", "5:3:2" })
            foreach (int level in NestedBits.Parse(bits).Levels)
                data.Add(bits, level);
        return data;
    }

    [Theory]
    [MemberData(nameof(EveryLevel))]
    public void Every_operator_runs_at_every_level(string bits, int level)
    {
        foreach (bool hasPartRows in new[] { false, true })
        {
            foreach (int threads in new[] { 1, 2 })
            {
                ConvolutionCase conv = Conv(bits, level, hasPartRows), gemm = Gemm(bits, level, hasPartRows);
                Assert.Equal(conv.Expected(), Run(NestedModels.Conv(conv), threads, level, Image(conv)));
                Assert.Equal(gemm.Expected(), Run(NestedModels.Gemm(gemm, 3, 20), threads, level, Rows(gemm)));
                Assert.Equal(
                    conv.ExpectedQuantized(Requantization),
                    RunBytes(NestedModels.QLinearConv(conv, Requantization), threads, level, Image(conv)));
                Assert.Equal(
                    gemm.ExpectedQuantized(Requantization),
                    RunBytes(NestedModels.QLinearGemm(gemm, Requantization, 3, 20), threads, level, Rows(gemm)));
                Assert.Equal(gemm.DequantizedWeights(), Run(NestedModels.DequantizeLinear(gemm), threads, level));
            }
        }
    }

    [Theory]
    [MemberData(nameof(EveryLevel))]
    public void The_bias_of_a_weight_only_layer_is_that_of_the_level(string bits, int level)
    {
        ConvolutionCase c = Gemm(bits, level, hasPartRows: true);
        Assert.Equal(c.DequantizedBias(), Run(NestedModels.Bias(c), 1, level));
    }

    [Fact]
    public void A_bias_that_is_absent_adds_nothing_at_full_precision()
    {
        float[] y = Run(NestedModels.Bias(Gemm("8:6:4", 8, hasPartRows: true)).Absent("B"), 1, 8);
        Assert.All(y, static value => Assert.Equal(BitConverter.SingleToInt32Bits(-0f), BitConverter.SingleToInt32Bits(value)));
    }

    /// <summary>What follows a missing step is of no use, whether it is there or not.</summary>
    [Theory]
    [InlineData("W_low", 2, false)]
    [InlineData("W_low_2", 3, true)]
    [InlineData("W_low_3", 4, false)]
    [InlineData("W_low_4", 6, false)]
    public void Without_a_step_a_node_runs_at_the_levels_below_it(string missing, int most, bool isFollowed)
    {
        NestedBits bits = new(8, 6, 4, 3, 2);
        ConvolutionCase c = Gemm("8:6:4:3:2", most, hasPartRows: true);
        NodeModel model = NestedModels.Gemm(c, 3, 20).Absent(missing).Default(TensorProto.FromInt32s("bits", [], [most]));
        if (!isFollowed)
            for (int step = bits.StepTo(most) + 2; step < bits.Count; step++)
                model.Absent($"W_low_{step}");
        using InferenceSession session = model.Open();
        Assert.Equal(c.Expected(), session.Run(Rows(c)).Data);
        string message = OperatorErrorTests.RunFails(session, Rows(c), Bits(8));
        Assert.Contains($"nest_bits is 8 but the low operand {missing} is missing", message, StringComparison.Ordinal);
        Assert.Contains($"has at most {most} bits", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void A_step_of_another_compile_is_refused(int step)
    {
        ConvolutionCase own = Gemm("8:6:4:3:2", 8, hasPartRows: false);
        ConvolutionCase other = new(own.Geometry, own.Layout.Bits, 99, 0, 8);
        string name = step == 1 ? "W_low" : $"W_low_{step}";
        NodeModel model = NestedModels.Gemm(own, 3, 20)
            .Constant(TensorProto.FromBytes(name, TensorDataType.UInt8, [other.Operands[step].Length], other.Operands[step]));
        string message = Assert.Throws<OnnxRuntimeException>(() => model.Open().Dispose()).Message;
        Assert.Contains($"input '{name}' belongs to another compilation", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_in_the_place_of_each_other_are_told_apart()
    {
        ConvolutionCase c = Gemm("8:6:4:2", 8, hasPartRows: false);
        NodeModel model = NestedModels.Gemm(c, 3, 20)
            .Constant(TensorProto.FromBytes("W_low_2", TensorDataType.UInt8, [c.Operands[3].Length], c.Operands[3]));
        string message = Assert.Throws<OnnxRuntimeException>(() => model.Open().Dispose()).Message;
        Assert.Contains("'W_low_2' is the low operand that leads to 8 bits of a weight", message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Faults() => OperatorErrorTests.Names(Bad);

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_bad_level_is_an_error_that_names_the_node(string fault, string expected)
    {
        ConvolutionCase c = Gemm("8:6:4", 4, hasPartRows: true);
        NodeModel product = NestedModels.Gemm(c, 3, 20).Default(TensorProto.FromInt32s("bits", [], [4]));
        Bad[fault].Apply(product);
        OperatorErrorTests.Expect(expected, product, Rows(c));
    }

    private static readonly Dictionary<string, (string Expected, Action<NodeModel> Apply)> Bad = new()
    {
        ["levels ascend"] = ("'levels' [4, 6, 8] does not descend", m => m.With(AttributeProto.IntList("levels", 4, 6, 8))),
        ["levels repeat"] = ("'levels' [8, 6, 6, 4] does not descend", m => m.With(AttributeProto.IntList("levels", 8, 6, 6, 4))),
        ["levels of another n"] = ("here from 8 to 4", m => m.With(AttributeProto.IntList("levels", 7, 6, 4))),
        ["levels of another h"] = ("here from 8 to 4", m => m.With(AttributeProto.IntList("levels", 8, 6, 3))),
        ["levels of one"] = ("here from 8 to 4", m => m.With(AttributeProto.IntList("levels", 8))),
        ["levels beyond 32 bits"] = ("does not descend", m => m.With(AttributeProto.IntList("levels", 8, (1L << 32) + 6, 4))),
        ["eight levels"] = ("'levels' has 8 values", m => m.With(AttributeProto.IntList("levels", 8, 8, 7, 6, 5, 4, 4, 4))),
        ["levels is an int"] = ("'levels' is not a list of ints", m => m.With(AttributeProto.Int("levels", 8))),
        ["two levels in version 3"] = ("layout_version is 3: the levels 8:4 need version 1 or 2", m => m.Without("levels")),
        ["three levels in version 2"] = ("layout_version is 2", m => m.With(AttributeProto.Int("layout_version", 2))),
        ["another step"] = ("'W_low' has", m => m.With(AttributeProto.IntList("levels", 8, 7, 4))),
        ["step too short"] = ("'W_low_2' has 3", m => m.Constant(TensorProto.FromBytes("W_low_2", TensorDataType.UInt8, [3], new byte[3]))),
        ["part scale of a row"] = ("'part_scale' has the shape [1, 7], [2, 7]", m => m.Constant(Ones("part_scale", 1, 7))),
        ["part scale of a vector"] = ("'part_scale' has the shape [14], [2, 7]", m => m.Constant(Ones("part_scale", 14))),
        ["part scale the other way"] = ("'part_scale' has the shape [7, 2], [2, 7]", m => m.Constant(Ones("part_scale", 7, 2))),
        ["part bias too wide"] = ("'part_bias' has the shape [2, 8], [2, 7]", m => m.Constant(Ones("part_bias", 2, 8))),
        ["part scale of zero"] = ("part_scale[0] is 0 at 4 bits", m => m.Constant(TensorProto.FromFloats("part_scale", [2, 7], new float[14]))),
        ["part scale not a number"] = (
            "part_scale[0] is NaN", m => m.Constant(TensorProto.FromFloats("part_scale", [2, 7], [.. Enumerable.Repeat(float.NaN, 14)]))),
        ["part scale of integers"] = ("part_scale", m => m.Constant(TensorProto.FromInt32s("part_scale", [2, 7], new int[14]))),
    };

    private static TensorProto Ones(string name, params long[] shape) =>
        TensorProto.FromFloats(name, shape, [.. Enumerable.Repeat(1f, (int)shape.Aggregate(1L, static (a, b) => a * b))]);

    private static ConvolutionCase Conv(string bits, int level, bool hasPartRows) =>
        new(NestedModels.SmallConv().Geometry, NestedBits.Parse(bits), 5, 0, level, hasPartRows: hasPartRows);

    private static ConvolutionCase Gemm(string bits, int level, bool hasPartRows) =>
        new(NestedModels.SmallGemm(3).Geometry, NestedBits.Parse(bits), 6, 3, level, hasPartRows: hasPartRows);

    private static (string, OrtValue) Image(ConvolutionCase c) => ("X", SessionRuns.Tensor(c.X, 1, 6, 5, 3));

    private static (string, OrtValue) Rows(ConvolutionCase c) => ("X", SessionRuns.Tensor(c.X, 3, 20));

    private static (string, OrtValue) Bits(int bits) => ("bits", SessionRuns.Tensor<int>([bits]));

    private static float[] Run(NodeModel model, int threads, int level, params (string, OrtValue)[] inputs)
    {
        using InferenceSession session = model.Open(threads);
        return session.Run([.. inputs, Bits(level)]).Data;
    }

    private static byte[] RunBytes(NodeModel model, int threads, int level, params (string, OrtValue)[] inputs)
    {
        using InferenceSession session = model.Open(threads);
        return session.Run<byte>([.. inputs, Bits(level)]).Data;
    }
}
