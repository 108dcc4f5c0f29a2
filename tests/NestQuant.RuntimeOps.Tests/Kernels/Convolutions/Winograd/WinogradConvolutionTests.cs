using CsCheck;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Convolutions.Winograd;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Execution;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions.Winograd;

public class WinogradConvolutionTests
{
    private static Gen<ConvolutionGeometry> Geometries =>
        from batch in Gen.Int[1, 3]
        from height in Axes
        from width in Axes
        from channels in Gen.OneOf(Gen.Int[1, 4], Gen.Int[8, 10])
        from outputs in Gen.Int[16, 70]
        select new ConvolutionGeometry(batch, height, width, 1, channels * InputTransform.VectorChannels, outputs);

    private static Gen<ConvolutionAxis> Axes =>
        from padBegin in Gen.Int[0, 5]
        from padEnd in Gen.Int[0, 2]
        from output in Gen.Int[7, 21]
        let input = output + 2 - padBegin - padEnd
        where input > 0
        select new ConvolutionAxis(input, 3, 1, 1, padBegin, output);

    [SkippableTheory]
    [InlineData("avx2", false)]
    [InlineData("avx2", true)]
    [InlineData(TestTiers.PlainAvx512, false)]
    public void Equals_the_definition_bit_for_bit(string name, bool isPart)
    {
        KernelTier tier = Tier(name);
        Gen.Select(Geometries, Gen.Int[2, 8], Gen.Int[0, 100_000]).Where((g, _, _) => Applies(tier, g)).Sample(
            (geometry, high, seed) =>
            {
                ConvolutionCase c = new(geometry, new NestedBits(8, Math.Min(high, 7)), seed, 0, isPart);
                return c.Run(tier, new BackwardLoop()).AsSpan().SequenceEqual(c.Expected());
            },
            iter: 60);
    }

    [SkippableTheory]
    [InlineData("avx2")]
    [InlineData(TestTiers.PlainAvx512)]
    public void The_largest_sums_are_exact(string name)
    {
        // Every product is 255 * -128: 9 * 1,824 of them are 2^29 less a little.
        KernelTier tier = Tier(name);
        ConvolutionAxis axis = new(8, 3, 1, 1, 1, 8);
        int channels = WinogradConvolution.MaxInputChannels / InputTransform.VectorChannels * InputTransform.VectorChannels;
        ConvolutionCase c = new(
            new ConvolutionGeometry(1, axis, axis, 1, channels, 16), new NestedBits(8, 4), 5, 0, isPart: false, extreme: true);
        Assert.True(Applies(tier, c.Geometry));
        Assert.Equal(c.Expected(), c.Run(tier, new BackwardLoop()));
    }

    [SkippableTheory]
    [InlineData("avx2")]
    [InlineData(TestTiers.PlainAvx512)]
    public void Blocks_and_parts_of_any_size_equal_the_definition(string name)
    {
        // A line of tiles takes 1.9 MB of transformed activations: blocks of one line, cut into parts.
        KernelTier tier = Tier(name);
        ConvolutionAxis height = new(13, 3, 1, 1, 1, 13), width = new(210, 3, 1, 1, 1, 210);
        ConvolutionCase c = new(new ConvolutionGeometry(2, height, width, 1, 512, 17), new NestedBits(8, 6), 7, 0, isPart: false);
        Assert.True(Applies(tier, c.Geometry));
        Assert.Equal(c.Expected(), c.Run(tier, new ThreadedLoop(3)));
    }

    [SkippableTheory]
    [InlineData("avx2")]
    [InlineData(TestTiers.PlainAvx512)]
    public void Kept_panels_change_nothing(string name)
    {
        KernelTier tier = Tier(name);
        ConvolutionAxis axis = new(14, 3, 1, 1, 1, 14);
        Requantization requantization = new(3f, 9);
        ConvolutionCase c = new(new ConvolutionGeometry(1, axis, axis, 1, 160, 72), new NestedBits(8, 6), 3, 0, isPart: false);
        foreach (long bytes in new[] { 600_000L, long.MaxValue })
        {
            PanelCache cache = new(bytes);
            for (int run = 0; run < 2; run++)
                Assert.Equal(c.ExpectedQuantized(requantization), c.RunQuantized(tier, new BackwardLoop(), requantization, cache));
            Assert.InRange(cache.Bytes, 1, bytes);
        }
    }

    [Theory]
    [InlineData(56, 128, 128, 16, true)]
    [InlineData(28, 128, 128, 1, true)]
    [InlineData(28, 512, 128, 4, true)]
    [InlineData(28, 128, 128, 5, false)]
    [InlineData(27, 128, 128, 1, false)]
    [InlineData(28, 528, 128, 1, false)]
    [InlineData(28, 112, 128, 1, false)]
    [InlineData(28, 128, 96, 1, false)]
    [InlineData(56, 64, 64, 1, false)]
    [InlineData(26, 256, 256, 1, false)]
    [InlineData(24, 256, 256, 1, false)]
    [InlineData(14, 256, 256, 1, false)]
    [InlineData(7, 512, 512, 1, false)]
    public void Avx512_leaves_to_products_of_bytes_what_would_not_be_clearly_faster(
        int extent, int channels, int outputs, int threads, bool applies)
    {
        ConvolutionAxis axis = new(extent, 3, 1, 1, 1, extent);
        ConvolutionGeometry geometry = new(1, axis, axis, 1, channels, outputs);
        Assert.Equal(applies, WinogradConvolution.Applies(geometry, new WordProduct(kernels: null!), threads));
    }

    private static bool Applies(KernelTier tier, ConvolutionGeometry geometry) =>
        WinogradConvolution.Applies(geometry, tier.Winograd!, threads: 1);

    private static KernelTier Tier(string name)
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "needs a processor with AVX2");
        return TestTiers.Get(name);
    }
}
