using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Tests.Kernels;
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
    [InlineData("8", null, false)]
    [InlineData("8", 6, true)]
    public void The_session_entry_takes_the_place_of_n_and_never_of_h(string entry, int? fed, bool isPart)
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
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(0)]
    [InlineData(-6)]
    [InlineData(int.MaxValue)]
    public void Other_bits_are_refused_with_those_that_are_allowed(int bits)
    {
        using InferenceSession session = Model().Open();
        Assert.Contains(
            $"nest_bits is {bits}: allowed are 6 (part) and 8 (full)",
            OperatorErrorTests.RunFails(session, X, Bits(bits)),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("six")]
    [InlineData("")]
    [InlineData("-8")]
    public void A_session_entry_that_no_node_allows_fails_at_load(string entry)
    {
        string message = Assert.Throws<OnnxRuntimeException>(() => Model().Open(1, (NestQuantOps.BitsConfigEntry, entry))).Message;
        Assert.Contains("subject", message, StringComparison.Ordinal);
        Assert.Contains($"nestquant.bits is '{entry}': allowed are 6 (part) and 8 (full)", message, StringComparison.Ordinal);
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
