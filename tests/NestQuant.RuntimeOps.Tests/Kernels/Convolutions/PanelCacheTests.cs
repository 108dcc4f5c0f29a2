using CsCheck;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Execution;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions;

public class PanelCacheTests
{
    private static readonly Requantization Requantization = new(1f, 128);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Results_do_not_depend_on_the_cache(string tier) =>
        Gen.Select(ConvolutionCase.Geometries, Gen.Int[0, int.MaxValue], Gen.Int[1, 100_000]).Sample(
            (geometry, seed, bytes) =>
            {
                PanelCache cache = new(bytes);
                ConvolutionCase full = new(geometry, new NestedBits(8, 5), seed, 0, isPart: false);
                ConvolutionCase part = new(geometry, new NestedBits(8, 5), seed, 0, isPart: true);
                bool areEqual = true;
                foreach (ConvolutionCase c in (ConvolutionCase[])[full, full, part, part, full])
                {
                    byte[] y = c.RunQuantized(TestTiers.Get(tier), new ThreadedLoop(2), Requantization, cache);
                    areEqual &= y.AsSpan().SequenceEqual(c.ExpectedQuantized(Requantization)) && cache.Bytes <= bytes;
                }

                return areEqual;
            },
            iter: 60,
            threads: 1);

    [Fact]
    public void It_keeps_as_many_panels_as_fit()
    {
        ConvolutionCase c = Case(isPart: false);
        Assert.Equal(0, Kept(c, 1));
        long all = Kept(c, long.MaxValue);
        Assert.InRange(all, 3 * 20 * 32, 3 * 20 * 32 * 4);
        Assert.Equal(all / 3, Kept(c, all / 2));
        Assert.Equal(all, Kept(c, all));
    }

    [Fact]
    public void Another_precision_releases_what_was_kept()
    {
        PanelCache cache = new(long.MaxValue);
        Case(isPart: false).RunQuantized(TierSelection.Portable, new BackwardLoop(), Requantization, cache);
        long bytes = cache.Bytes;
        Assert.Equal(8, cache.Level);
        Case(isPart: true).RunQuantized(TierSelection.Portable, new BackwardLoop(), Requantization, cache);
        Assert.Equal(6, cache.Level);
        Assert.Equal(bytes, cache.Bytes);
    }

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void A_plan_that_is_used_again_does_not_bring_back_what_another_precision_released(string tier)
    {
        PanelCache cache = new(long.MaxValue);
        NestedConvolution kernel = new(TestTiers.Get(tier), threads: 2);
        ConvolutionCase full = Case(isPart: false), part = Case(isPart: true);
        using GuardedOperands fullOperands = new(full.Operands), partOperands = new(part.Operands);
        foreach (ConvolutionCase c in new[] { full, part, full, part })
        {
            Assert.All(
                c.RunRepeatedly(kernel, new BackwardLoop(), Requantization, times: 2, cache),
                run => Assert.Equal(c.ExpectedQuantized(Requantization), run.Y));
            Assert.Equal(c.Level, cache.Level);
        }
    }

    [Fact]
    public void Another_number_of_rows_releases_panels_only_where_another_tier_multiplies_them()
    {
        CountingTier tier = new();
        PanelCache cache = new(long.MaxValue);
        foreach ((int rows, int prepared) in new[] { (7, 3), (9, 3), (3, 3), (2, 6), (1, 6), (7, 9) })
        {
            ConvolutionCase c = Case(isPart: false, rows);
            byte[] y = c.RunQuantized(tier, new BackwardLoop(), Requantization, cache);
            Assert.Equal(c.ExpectedQuantized(Requantization), y);
            Assert.Equal((rows, prepared), (rows, tier.Prepared));
        }
    }

    private static ConvolutionCase Case(bool isPart, int rows = 7) =>
        new(new ConvolutionGeometry(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(rows), 1, 20, 70), new NestedBits(8, 6), 4, 0, isPart);

    private static long Kept(ConvolutionCase c, long limit)
    {
        PanelCache cache = new(limit);
        c.RunQuantized(TierSelection.Portable, new BackwardLoop(), Requantization, cache);
        return cache.Bytes;
    }

    /// <summary>Counts the panels that it prepares, and those that its form for few rows does.</summary>
    private sealed unsafe class CountingTier : ByteRowsTier
    {
        private const int LeastRows = 3;

        private readonly ForFewRows _few = new();
        private int _prepared;

        public int Prepared => _prepared + _few.Prepared;

        public override KernelTier For(int weightBits, int rows, int reductionLength) => rows < LeastRows ? _few : this;

        public override void Prepare(sbyte* panel, int groups) => _prepared++;

        private sealed class ForFewRows : ByteRowsTier
        {
            public int Prepared { get; private set; }

            public override void Prepare(sbyte* panel, int groups) => Prepared++;
        }
    }
}
