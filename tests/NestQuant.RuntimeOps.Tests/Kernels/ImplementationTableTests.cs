using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Kernels.Execution;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels;

public class ImplementationTableTests
{
    private static readonly Requantization Requantization = new(2, 100);

    private static readonly Dictionary<string, ConvolutionGeometry> Shapes = new()
    {
        ["pointwise"] = Square(14, 1, 1, 0, 1, 64, 64),
        ["3x3"] = Square(14, 3, 1, 1, 1, 64, 64),
        ["3x3 of many channels"] = Square(28, 3, 1, 1, 1, 128, 128),
        ["3x3 of stride 2"] = Square(14, 3, 2, 1, 1, 64, 64),
        ["depthwise"] = Square(14, 3, 1, 1, 64, 1, 64),
        ["grouped"] = Square(14, 3, 1, 1, 4, 16, 64),
        ["one row"] = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(1), 1, 64, 64),
        ["five rows"] = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(5), 1, 64, 64),
    };

    private static List<string> Tiers { get; } = [.. TestTiers.All().Select<object[], string>(static row => (string)row[0])];

    // A shape on a tier is computed by exactly this implementation: an entry that stops applying, or starts to, fails here.
    [SkippableTheory]
    [InlineData("portable", "pointwise", "gathered")]
    [InlineData("portable", "3x3", "gathered")]
    [InlineData("portable", "depthwise", "depthwise")]
    [InlineData("portable", "one row", "gathered")]
    [InlineData("avx2", "pointwise", "gathered")]
    [InlineData("avx2", "depthwise", "strips")]
    [InlineData("avx2", "3x3", "winograd")]
    [InlineData("avx2", "3x3 of stride 2", "gathered")]
    [InlineData("avx2", "grouped", "gathered")]
    [InlineData("avx2", "one row", "streamed")]
    [InlineData("avx2", "five rows", "gathered")]
    [InlineData("avx2mul1", "pointwise", "gathered")]
    [InlineData("avx2mul1", "3x3", "winograd")]
    [InlineData("avx2mul1", "depthwise", "strips")]
    [InlineData("avx2mul1", "one row", "streamed")]
    [InlineData("avx512vnni", "pointwise", "implicit-gemm")]
    [InlineData("avx512vnni", "3x3", "implicit-gemm")]
    [InlineData("avx512vnni", "3x3 of many channels", "winograd")]
    [InlineData("avx512vnni", "depthwise", "strips")]
    [InlineData("avx512vnni", "grouped", "implicit-gemm")]
    [InlineData("avx512vnni", "one row", "streamed")]
    [InlineData("amx", "3x3", "implicit-gemm")]
    [InlineData("amx", "3x3 of many channels", "implicit-gemm")]
    [InlineData("amx", "depthwise", "strips")]
    [InlineData("amx", "one row", "streamed")]
    [InlineData("in place, by lines", "pointwise", "implicit-gemm")]
    [InlineData("in place, by lines", "3x3 of stride 2", "implicit-gemm")]
    [InlineData("in place, by lines", "grouped", "implicit-gemm")]
    [InlineData(TestTiers.PlainAvx512, "3x3", "winograd")]
    [InlineData(TestTiers.PlainAvx512, "3x3 of stride 2", "implicit-gemm")]
    [InlineData(TestTiers.PlainAvx512, "grouped", "implicit-gemm")]
    [InlineData("avxvnni, its instruction emulated", "depthwise", "strips")]
    [InlineData("avxvnni, its instruction emulated", "3x3", "gathered")]
    public void A_shape_has_its_implementation(string tier, string shape, string implementation)
    {
        Skip.IfNot(Tiers.Contains(tier), $"this processor has no {tier}");
        Assert.Equal(implementation, Run(new NestedConvolution(TestTiers.Get(tier), 4), Case(shape), 1)[0].Made!.Name);
    }

    public static TheoryData<string, string, string> Combinations()
    {
        TheoryData<string, string, string> combinations = [];
        foreach (string tier in Tiers)
        {
            foreach (string shape in Shapes.Keys)
            {
                foreach (Implementation implementation in ImplementationTable.All)
                    combinations.Add(tier, shape, implementation.Name);
            }
        }

        return combinations;
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void An_implementation_that_is_forced_gives_the_same_bits_or_says_what_it_needs(
        string tier, string shape, string implementation)
    {
        ConvolutionCase c = Case(shape);
        NestedConvolution kernel = new(TestTiers.Get(tier), 4, ImplementationTable.Find(implementation));
        try
        {
            (byte[] y, ConvolutionPlan? plan) = Run(kernel, c, 1)[0];
            Assert.Equal(implementation, plan!.Name);
            Assert.Equal(c.ExpectedQuantized(Requantization), y);
        }
        catch (PlatformNotSupportedException error)
        {
            Assert.Contains($"NESTQUANT_IMPLEMENTATION is '{implementation}', which cannot run a", error.Message, StringComparison.Ordinal);
            Assert.Contains($"{c.Geometry} on the tier '{TestTiers.Get(tier).Name}': it needs", error.Message, StringComparison.Ordinal);
            Assert.NotEqual("gathered", implementation);
        }
    }

    [Fact]
    public void An_unknown_implementation_is_an_error_that_names_the_known_ones()
    {
        string message = Assert.Throws<PlatformNotSupportedException>(() => ImplementationTable.Find("magic")).Message;
        Assert.Equal(
            "NESTQUANT_IMPLEMENTATION is 'magic': known implementations are strips, depthwise, streamed, winograd, implicit-gemm, gathered",
            message);
        Assert.Null(ImplementationTable.Find(null));
        Assert.Null(ImplementationTable.Find(""));
    }

    [Theory]
    [MemberData(nameof(TestTiers.OfTheLibrary), MemberType = typeof(TestTiers))]
    public void A_run_of_a_known_shape_uses_the_plan_and_allocates_nothing(string tier)
    {
        foreach (string shape in Shapes.Keys)
        {
            NestedConvolution kernel = new(TestTiers.Get(tier), 4);
            CountingLoop loop = new();
            List<(byte[] Y, ConvolutionPlan? Made)> runs = Run(kernel, Case(shape), 4, loop);
            Assert.NotNull(runs[0].Made);
            Assert.All(runs.Skip(1), run => Assert.Null(run.Made));
            Assert.All(runs, run => Assert.Equal(runs[0].Y, run.Y));
            Assert.Equal(0, loop.AllocatedInLastRun);
        }
    }

    [Fact]
    public void Runs_at_the_same_time_have_plans_of_their_own()
    {
        ConvolutionCase c = Case("3x3");
        byte[] expected = c.ExpectedQuantized(Requantization);
        NestedConvolution kernel = new(TierSelection.Select(null), 2);
        Parallel.For(0, 16, _ => Assert.All(Run(kernel, c, 5), run => Assert.Equal(expected, run.Y)));
    }

    private static ConvolutionGeometry Square(int extent, int kernel, int stride, int pad, int groups, int channelsPerGroup, int outputs)
    {
        ConvolutionAxis axis = new(extent, kernel, stride, 1, pad, (extent + 2 * pad - kernel) / stride + 1);
        return new ConvolutionGeometry(1, axis, axis, groups, channelsPerGroup, outputs);
    }

    private static ConvolutionCase Case(string shape) => new(Shapes[shape], new NestedBits(8, 6), 3, 0, isPart: false);

    private static List<(byte[] Y, ConvolutionPlan? Made)> Run(
        NestedConvolution kernel, ConvolutionCase c, int times, ParallelLoop? loop = null) =>
        c.RunRepeatedly(kernel, loop ?? new BackwardLoop(), Requantization, times);

    /// <summary>Runs all parts on this thread and counts what the last run's parts allocate.</summary>
    private sealed class CountingLoop : ParallelLoop
    {
        public long AllocatedInLastRun { get; private set; }

        public override void Run(int count, Action<int> body)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < count; i++)
                body(i);
            AllocatedInLastRun = GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }
}
