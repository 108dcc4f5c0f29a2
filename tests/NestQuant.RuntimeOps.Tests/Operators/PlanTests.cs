using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class PlanTests
{
    private static readonly Requantization Requantization = new(1, 100);

    [Fact]
    public void A_run_of_a_known_shape_allocates_next_to_nothing()
    {
        ConvolutionCase c = NestedModels.SmallConv();
        using InferenceSession session = NestedModels.QLinearConv(c, Requantization).Open(1);
        using OrtValue x = SessionRuns.Tensor(c.X, 1, 6, 5, 3);
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
