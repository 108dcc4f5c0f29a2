using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Convolutions.Streamed;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Execution;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Streamed;

public class StreamedProductTests
{
    [Theory]
    [InlineData(1, 64, 0, false, true)]
    [InlineData(4, 64, 0, false, true)]
    [InlineData(3, 7, 0, false, true)]
    [InlineData(5, 64, 0, false, false)]
    [InlineData(1, 64, 300, false, false)]
    [InlineData(1, 64, 0, true, false)]
    [InlineData(1, KernelTier.MaxDotLength + 1, 0, false, false)]
    public void Takes_few_rows_of_any_length_unless_panels_are_kept(
        int rows, int inner, int largestZeroPoint, bool areKept, bool isStreamed)
    {
        CountingTier tier = new();
        ConvolutionCase c = Product(rows, inner, largestZeroPoint);
        Requantization requantization = new(2, 100);
        byte[] y = c.RunQuantized(tier, new BackwardLoop(), requantization, areKept ? new PanelCache(1 << 20) : null);
        Assert.Equal(c.ExpectedQuantized(requantization), y);
        Assert.Equal(isStreamed, tier.Calls > 0);
    }

    [SkippableFact]
    public void The_avx2_tier_multiplies_codes_as_they_are_unpacked()
    {
        Skip.IfNot(X64Tier.IsSupported, "the processor has no AVX2");
        Assert.NotNull(TierSelection.Select("avx2").Streaming);
    }

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Kept_sums_give_the_same_results(string tier)
    {
        NestedConvolution kernel = new(TestTiers.Get(tier), threads: 2);
        foreach (int level in new[] { 8, 6, 4 })
        {
            ConvolutionGeometry geometry = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(2), 1, 43, 40);
            ConvolutionCase c = new(geometry, NestedBits.Parse("8:6:4"), seed: 3, largestZeroPoint: 0, level);
            Requantization requantization = new(2, 100);
            Assert.NotEqual(0, c.XZeroPoint);
            Assert.All(
                c.RunRepeatedly(kernel, new ThreadedLoop(2), requantization, times: 3),
                run => Assert.Equal(c.ExpectedQuantized(requantization), run.Y));
        }
    }

    /// <summary>A node whose activations are quantized anew for every run has another zero point every time.</summary>
    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void A_plan_serves_every_zero_point(string tier)
    {
        NestedConvolution kernel = new(TestTiers.Get(tier), threads: 1);
        Requantization requantization = new(2, 100);
        ConvolutionCase c = Product(rows: 2, inner: 43, largestZeroPoint: 0);
        foreach (byte zeroPoint in new byte[] { 0, 128, 3, 128, 0, 255 })
        {
            c.XZeroPoint = zeroPoint;
            Assert.Equal(c.ExpectedQuantized(requantization), c.RunRepeatedly(kernel, new ThreadedLoop(1), requantization, times: 1)[0].Y);
        }
    }

    private static ConvolutionCase Product(int rows, int inner, int largestZeroPoint) => new(
        new ConvolutionGeometry(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(rows), 1, inner, 5),
        new NestedBits(8, 6),
        seed: rows + inner,
        largestZeroPoint,
        isPart: false);

    /// <summary>A tier that is asked for products with weights as they are decoded, and has none.</summary>
    private sealed unsafe class CountingTier : ByteRowsTier
    {
        public int Calls { get; private set; }

        public override bool TryMultiplyBlocks(
            in LevelOperands operands, int blocks, byte* rows, nint rowStride, int rowCount, int* accumulators, int* weightSums)
        {
            Calls++;
            return false;
        }
    }
}
