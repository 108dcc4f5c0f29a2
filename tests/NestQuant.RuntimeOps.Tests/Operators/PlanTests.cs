using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Kernels.WeightOnly;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class PlanTests
{
    private static readonly Requantization Requantization = new(1, 100);

    [Fact]
    public void A_run_of_a_known_shape_allocates_next_to_nothing()
    {
        ConvolutionCase c = NestedModels.SmallConv();
        using OrtValue x = SessionRuns.Tensor(c.X, 1, 6, 5, 3);
        RunOften(NestedModels.QLinearConv(c, Requantization), x);
    }

    [Fact]
    public void So_does_a_run_on_floats()
    {
        FloatCase c = new(NestedModels.SmallConv(), seed: 3), product = new(NestedModels.SmallGemm(6), seed: 2);
        using OrtValue map = SessionRuns.Tensor(c.X, 1, 3, 6, 5), rows = SessionRuns.Tensor(product.X, 6, 20);
        RunOften(NestedModels.FloatConv(c), map);
        RunOften(NestedModels.FloatGemm(product, 6, 20), rows);
        ConvolutionAxis axis = new(14, 3, 2, 1, 1, 7), large = new(28, 3, 1, 1, 1, 28);
        FloatCase strided = new(new ConvolutionCase(new(1, axis, axis, 2, 3, 8), new NestedBits(8, 6), 5, 0, isPart: false), seed: 5);
        FloatCase wide = new(new ConvolutionCase(new(1, large, large, 1, 3, 8), new NestedBits(8, 6), 6, 0, isPart: false), seed: 6);
        using OrtValue groups = SessionRuns.Tensor(strided.X, 1, 6, 14, 14), image = SessionRuns.Tensor(wide.X, 1, 3, 28, 28);
        RunOften(NestedModels.FloatConv(strided), groups);
        RunOften(NestedModels.FloatConv(wide), image);
    }

    private static void RunOften(NodeModel model, OrtValue x)
    {
        using InferenceSession session = model.Open(1);
        using OrtIoBinding binding = session.CreateIoBinding();
        using RunOptions options = new();
        binding.BindInput("X", x);
        binding.BindOutputToDevice(session.OutputNames[0], OrtMemoryInfo.DefaultInstance);
        const int runs = 20;
        for (int run = 0; run < runs; run++)
            session.RunWithBinding(options, binding);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int run = 0; run < runs; run++)
            session.RunWithBinding(options, binding);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / runs, 0, 200);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("64")]
    public void Results_do_not_depend_on_the_threads_that_are_told(string threads)
    {
        ConvolutionCase c = NestedModels.SmallConv();
        using InferenceSession session = NestedModels.QLinearConv(c, Requantization).Open(2, (NestQuantOps.ThreadsConfigEntry, threads));
        Assert.Equal(c.ExpectedQuantized(Requantization), session.Run<byte>(("X", SessionRuns.Tensor(c.X, 1, 6, 5, 3))).Data);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("two")]
    [InlineData("99999999999")]
    public void What_is_not_a_number_of_threads_is_refused(string threads)
    {
        NodeModel model = NestedModels.QLinearConv(NestedModels.SmallConv(), Requantization);
        string message = Assert.Throws<OnnxRuntimeException>(
            () => model.Open(1, (NestQuantOps.ThreadsConfigEntry, threads)).Dispose()).Message;
        Assert.Contains($"nestquant.threads is '{threads}': a number of threads of at least 1 expected", message, StringComparison.Ordinal);
    }
}
