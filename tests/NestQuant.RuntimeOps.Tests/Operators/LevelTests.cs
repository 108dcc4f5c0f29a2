using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.GroupNL;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>Weights of several levels, with scales and biases of their own below full precision, in ONNX Runtime.</summary>
public class LevelTests
{
    private static readonly Requantization Requantization = new(0.7f, 100);

    private static readonly ConvolutionGeometry Convolution = new(1, new(6, 3, 1, 1, 1, 6), new(5, 3, 1, 1, 1, 5), 1, 3, 40);
    private static readonly ConvolutionGeometry Depthwise = new(1, new(6, 3, 1, 1, 1, 6), new(5, 3, 1, 1, 1, 5), 34, 1, 34);
    private static readonly ConvolutionGeometry Product = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(3), 1, 150, 40);

    public static TheoryData<string, bool> Weights()
    {
        TheoryData<string, bool> weights = [];
        foreach (string bits in (string[])["8:6:4:3:2", "8:7:6:5:4:3:2", "5:3:2", "8:6"])
        {
            weights.Add(bits, true);
            weights.Add(bits, false);
        }

        return weights;
    }

    [Theory]
    [MemberData(nameof(Weights))]
    public void Convolutions_run_at_every_level(string bits, bool hasPartRows)
    {
        foreach (ConvolutionGeometry geometry in (ConvolutionGeometry[])[Convolution, Depthwise])
        {
            ConvolutionCase[] levels = Levels(geometry, bits, hasPartRows);
            using InferenceSession floats = NestedModels.Conv(levels[0]).Open(threads: 2);
            using InferenceSession integers = NestedModels.QLinearConv(levels[0], Requantization).Open(threads: 2);
            foreach (ConvolutionCase c in levels)
            {
                Assert.Equal(c.Expected(), floats.Run(Image(c), Bits(c)).Data);
                Assert.Equal(c.ExpectedQuantized(Requantization), integers.Run<byte>(Image(c), Bits(c)).Data);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Weights))]
    public void Products_run_at_every_level(string bits, bool hasPartRows)
    {
        ConvolutionCase[] levels = Levels(Product, bits, hasPartRows);
        using InferenceSession floats = NestedModels.Gemm(levels[0], 3, 150).Open(threads: 2);
        using InferenceSession integers = NestedModels.QLinearGemm(levels[0], Requantization, 3, 150).Open(threads: 2);
        foreach (ConvolutionCase c in levels)
        {
            Assert.Equal(c.Expected(), floats.Run(Rows(c), Bits(c)).Data);
            Assert.Equal(c.ExpectedQuantized(Requantization), integers.Run<byte>(Rows(c), Bits(c)).Data);
        }

        static (string, OrtValue) Rows(ConvolutionCase c) => ("X", SessionRuns.Tensor(c.X, 3, 150));
    }

    [Theory]
    [MemberData(nameof(Weights))]
    public void Weights_and_biases_are_restored_at_every_level(string bits, bool hasPartRows)
    {
        ConvolutionCase[] levels = Levels(Convolution, bits, hasPartRows);
        using InferenceSession weight = NestedModels.DequantizeLinear(levels[0], 40, 3, 3, 3).Open();
        foreach (ConvolutionCase c in levels)
            Assert.Equal(c.DequantizedWeights(), weight.Run(Bits(c)).Data);
        if (!hasPartRows)
            return;

        using InferenceSession bias = NestedModels.Bias(levels[0]).Open();
        Assert.Equal([40], bias.OutputMetadata["Y"].Dimensions);
        foreach (ConvolutionCase c in levels)
            Assert.Equal(c.DequantizedBias(), bias.Run(Bits(c)).Data);
    }

    [Theory]
    [MemberData(nameof(Weights))]
    public void The_convolution_in_front_of_GroupNL_runs_at_every_level(string bits, bool hasPartRows)
    {
        ConvolutionCase[] levels = Levels(Convolution, bits, hasPartRows);
        ExpansionCase expansion = new(1, 40, [6, 5], [3, 0, 1], seed: 4);
        using InferenceSession fused = NestedGroupNLConvTests.Model(levels[0], expansion).Open(threads: 2);
        using InferenceSession expand = GroupNLModels.Expand(expansion, isChannelsLast: true).Open();
        foreach (ConvolutionCase c in levels)
        {
            float[] expected = expand.Run(("X", SessionRuns.Tensor(c.Expected(), 1, 6, 5, 40))).Data;
            GroupNLExpansionTests.AssertSameBits(expected, fused.Run(Image(c), Bits(c)).Data);
        }
    }

    /// <summary>Kept panels are those of one level.</summary>
    [Fact]
    public void Every_switch_between_levels_gives_the_same_results_with_a_cache()
    {
        ConvolutionCase[] levels = Levels(Product, "8:6:4:3:2", hasPartRows: true);
        using InferenceSession session = NestedModels.Gemm(levels[0], 3, 150).Open(1, (NestQuantOps.CacheConfigEntry, "1m"));
        foreach (ConvolutionCase from in levels)
        {
            foreach (ConvolutionCase to in (ConvolutionCase[])[.. levels, from])
                Assert.Equal(to.Expected(), session.Run(("X", SessionRuns.Tensor(to.X, 3, 150)), Bits(to)).Data);
        }
    }

    [Fact]
    public void A_bias_that_is_absent_is_minus_zero_at_full_precision()
    {
        ConvolutionCase c = Levels(Convolution, "8:6:4", hasPartRows: true)[0];
        using InferenceSession session = NestedModels.Bias(c).Absent("B").Open();
        Assert.All(session.Run().Data, static value => Assert.True(value == 0 && float.IsNegative(value)));
        Assert.Equal(c.PartBias![40..80], session.Run(("bits", SessionRuns.Tensor<int>([4]))).Data);
    }

    [Fact]
    public void The_session_entry_limits_the_level_of_weights_and_biases()
    {
        ConvolutionCase[] levels = Levels(Convolution, "8:6:4", hasPartRows: true);
        (string, string) entry = (NestQuantOps.BitsConfigEntry, "7");
        using InferenceSession session = NestedModels.Conv(levels[0]).Open(1, entry);
        using InferenceSession bias = NestedModels.Bias(levels[0]).Open(1, entry);
        Assert.Equal(levels[1].Expected(), session.Run(Image(levels[0])).Data);
        Assert.Equal(levels[1].PartBias![..40], bias.Run().Data);
    }

    /// <summary>The operands of the steps after it are there, and of no use.</summary>
    [Theory]
    [InlineData(1, 2, 8)]
    [InlineData(1, 2, 3)]
    [InlineData(2, 3, 8)]
    [InlineData(3, 4, 6)]
    [InlineData(4, 6, 8)]
    public void A_missing_step_takes_away_the_levels_from_its_own_on(int step, int most, int asked)
    {
        ConvolutionCase[] levels = Levels(Convolution, "8:6:4:3:2", hasPartRows: true);
        string input = InputNames.WeightStep(step);
        using InferenceSession session = NestedModels.Conv(levels[0]).Absent(input).Open();
        foreach (ConvolutionCase c in levels.Where(c => c.Level <= most))
            Assert.Equal(c.Expected(), session.Run(Image(c), Bits(c)).Data);
        string message = OperatorErrorTests.RunFails(session, Image(levels[0]), ("bits", SessionRuns.Tensor<int>([asked])));
        Assert.Contains(
            $"nest_bits is {asked} but the low operand {input} is missing: without it this weight has at most {most} bits",
            message,
            StringComparison.Ordinal);
    }

    /// <summary>The same tensors at every level, full precision first.</summary>
    internal static ConvolutionCase[] Levels(ConvolutionGeometry geometry, string bits, bool hasPartRows)
    {
        NestedBits levels = NestedBits.Parse(bits);
        return [.. levels.Levels.Select(level => new ConvolutionCase(geometry, levels, 6, 0, level, hasPartRows: hasPartRows))];
    }

    internal static (string, OrtValue) Bits(ConvolutionCase c) => ("bits", SessionRuns.Tensor<int>([c.Level]));

    private static (string, OrtValue) Image(ConvolutionCase c)
    {
        ConvolutionGeometry g = c.Geometry;
        return ("X", SessionRuns.Tensor(c.X, g.Batch, g.Height.Input, g.Width.Input, g.InputChannels));
    }
}
