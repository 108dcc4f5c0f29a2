using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Packing;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class PrecisionTests
{
    private static readonly ConvolutionCase Full = NestedModels.SmallGemm(3, seed: 4);
    private static readonly ConvolutionCase Part = NestedModels.SmallGemm(3, seed: 4, isPart: true);

    private static (string, OrtValue) X => ("X", SessionRuns.Tensor(Full.X, 3, 20));

    [Fact]
    public void Unfed_bits_mean_the_initializers_value()
    {
        using InferenceSession session = Model().Open();
        Assert.Equal(Full.Expected(), session.Run(X).Data);
    }

    [Fact]
    public void Precision_can_change_from_run_to_run()
    {
        using InferenceSession session = Model().Open();
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(Part.Expected(), session.Run(X, Bits(6)).Data);
            Assert.Equal(Full.Expected(), session.Run(X, Bits(8)).Data);
        }
    }

    [Theory]
    [InlineData("6", null, true)]
    [InlineData("6", 8, true)]
    [InlineData("6", 6, true)]
    [InlineData("7", 8, true)]
    [InlineData("1", null, true)]
    [InlineData("8", null, false)]
    [InlineData("9", 8, false)]
    [InlineData("8", 6, true)]
    [InlineData("8", 7, true)]
    public void The_session_entry_limits_the_precision_of_every_run(string entry, int? fed, bool isPart)
    {
        using InferenceSession session = Model().Open(1, (NestQuantOps.BitsConfigEntry, entry));
        float[] y = fed is int bits ? session.Run(X, Bits(bits)).Data : session.Run(X).Data;
        Assert.Equal((isPart ? Part : Full).Expected(), y);
    }

    [Fact]
    public void A_part_model_runs_without_its_low_operand()
    {
        using InferenceSession session = Model().Absent("W_low").Default(TensorProto.FromInt32s("bits", [], [6])).Open();
        Assert.Equal(Part.Expected(), session.Run(X).Data);
        Assert.Contains("W_low", OperatorErrorTests.RunFails(session, X, Bits(8)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(5, true)]
    [InlineData(7, true)]
    [InlineData(9, false)]
    [InlineData(int.MaxValue, false)]
    public void The_highest_level_that_is_not_above_the_bits_is_used_or_else_the_lowest(int bits, bool isPart)
    {
        using InferenceSession session = Model().Open();
        Assert.Equal((isPart ? Part : Full).Expected(), session.Run(X, Bits(bits)).Data);
    }

    [Fact]
    public void The_selector_agrees_with_its_definition() =>
        Gen.Select(
                NestedPackerTests.Levels,
                Gen.Int[1, 12],
                Gen.Int[1, 12],
                Gen.Bool,
                (bits, fed, limit, isLimited) => (bits, fed, limit, isLimited))
            .Sample(c =>
            {
                int precision = c.isLimited ? Math.Min(c.fed, c.limit) : c.fed;
                IReadOnlyList<int> levels = c.bits.Levels;
                int level = levels.Where(l => l <= precision).DefaultIfEmpty(levels.Min()).Max();
                PrecisionSelector selector = new(c.bits, c.isLimited ? $"{c.limit}" : null);
                Assert.Equal(level, c.bits.LevelAt(precision));
                for (int operands = 1; operands <= levels.Count; operands++)
                {
                    if (levels.TakeLast(operands).Contains(level))
                        Assert.Equal(level, selector.LevelAt(c.fed, operands));
                    else
                        Assert.Throws<OperatorException>(() => selector.LevelAt(c.fed, operands));
                }
            });

    [Theory]
    [InlineData(0)]
    [InlineData(-6)]
    [InlineData(int.MinValue)]
    public void Bits_below_one_are_refused_with_those_that_make_a_difference(int bits)
    {
        using InferenceSession session = Model().Open();
        Assert.Contains(
            $"nest_bits is {bits}: an integer of at least 1 expected, here the weight has the levels 8:6",
            OperatorErrorTests.RunFails(session, X, Bits(bits)),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("99999999999")]
    [InlineData("six")]
    [InlineData("")]
    [InlineData("-8")]
    public void A_session_entry_that_is_no_precision_fails_at_load(string entry)
    {
        string message = Assert.Throws<OnnxRuntimeException>(() => Model().Open(1, (NestQuantOps.BitsConfigEntry, entry))).Message;
        Assert.Contains("subject", message, StringComparison.Ordinal);
        Assert.Contains($"nestquant.bits is '{entry}': an integer of at least 1 expected", message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_session_serves_several_threads_at_different_precisions()
    {
        ConvolutionCase full = NestedModels.SmallConv(seed: 9);
        ConvolutionCase part = NestedModels.SmallConv(seed: 9, isPart: true);
        float[] expectedFull = full.Expected();
        float[] expectedPart = part.Expected();
        using InferenceSession session = NestedModels.Conv(full).Open(threads: 2);
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            bool isPart = i % 2 == 0;
            float[] y = session.Run(("X", SessionRuns.Tensor(full.X, 1, 6, 5, 3)), Bits(isPart ? 6 : 8)).Data;
            Assert.Equal(isPart ? expectedPart : expectedFull, y);
        });
    }

    private static NodeModel Model() => NestedModels.Gemm(Full, 3, 20);

    private static (string, OrtValue) Bits(int bits) => ("bits", SessionRuns.Tensor<int>([bits]));
}
