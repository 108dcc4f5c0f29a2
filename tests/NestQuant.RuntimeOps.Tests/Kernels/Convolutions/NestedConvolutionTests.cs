using CsCheck;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Execution;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;
using NestQuant.RuntimeOps.Tests.Operators;
using NestQuant.RuntimeOps.Tests.Packing;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions;

public class NestedConvolutionTests
{
    public static TheoryData<string> Tiers() => TestTiers.OfTheLibrary();

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Equals_the_definition_bit_for_bit(string tier) =>
        Cases(0).Sample(c => c.Run(TestTiers.Get(tier), new BackwardLoop()).AsSpan().SequenceEqual(c.Expected()), iter: 250);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Equals_the_definition_with_zero_points(string tier) =>
        Cases(1000).Sample(c => c.Run(TestTiers.Get(tier), new BackwardLoop()).AsSpan().SequenceEqual(c.Expected()), iter: 150);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Equals_the_definition_with_zero_points_over_all_of_int32(string tier) =>
        Cases(int.MaxValue).Sample(c => c.Run(TestTiers.Get(tier), new BackwardLoop()).AsSpan().SequenceEqual(c.Expected()), iter: 100);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void The_number_of_threads_changes_nothing(string tier)
    {
        ConvolutionAxis axis = new(17, 3, 1, 1, 1, 17);
        ConvolutionCase c = new(new ConvolutionGeometry(2, axis, axis, 1, 19, 70), new NestedBits(8, 6), 3, 0, isPart: false);
        float[] expected = c.Expected();
        foreach (int threads in new[] { 1, 2, 7 })
            Assert.Equal(expected, c.Run(TestTiers.Get(tier), new ThreadedLoop(threads)));
    }

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void The_largest_sums_are_exact_beyond_32_bits(string tier)
    {
        // 70,000 products of 255 * -128 exceed 2^31: the reduction is summed in two pieces.
        ConvolutionGeometry geometry = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(7), 1, 70000, 3);
        ConvolutionCase c = new(geometry, new NestedBits(8, 4), 5, 0, isPart: false, extreme: true);
        Assert.Equal(c.Expected(), c.Run(TestTiers.Get(tier), new BackwardLoop()));
    }

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void The_largest_sums_of_32_bits_do_not_saturate(string tier)
    {
        ConvolutionGeometry geometry = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(7), 1, KernelTier.MaxDotLength, 2);
        ConvolutionCase c = new(geometry, new NestedBits(8, 7), 5, 0, isPart: false, extreme: true);
        Assert.Equal(c.Expected(), c.Run(TestTiers.Get(tier), new BackwardLoop()));
    }

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void A_matrix_product_of_any_number_of_rows_equals_the_definition(string tier) =>
        Gen.Select(Gen.Int[1, 200], Gen.Int[1, 90], Gen.Int[1, 80], Gen.Int[0, 1000]).Sample(
            (rows, inner, outputs, seed) =>
            {
                ConvolutionGeometry geometry = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(rows), 1, inner, outputs);
                ConvolutionCase c = new(geometry, new NestedBits(8, 5), seed, seed % 2 * 300, isPart: seed % 3 == 0);
                return c.Run(TestTiers.Get(tier), new BackwardLoop()).AsSpan().SequenceEqual(c.Expected());
            },
            iter: 60);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void A_long_product_of_few_rows_equals_the_definition(string tier)
    {
        foreach (int rows in new[] { 1, 2, 3, 4, 5 })
        {
            foreach (int inner in new[] { 7, 512, 516, 1500, 1501 })
            {
                ConvolutionGeometry geometry = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(rows), 1, inner, 45);
                ConvolutionCase c = new(geometry, new NestedBits(8, 6), rows + inner, 0, isPart: rows == 2);
                Assert.Equal(c.Expected(), c.Run(TestTiers.Get(tier), new ThreadedLoop(2)));
            }
        }
    }

    /// <summary>Groups that fill a panel together, groups of a whole panel, and groups that no panel can hold.</summary>
    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Grouped_convolutions_equal_the_definition(string tier)
    {
        ConvolutionAxis axis = new(9, 3, 2, 1, 1, 5);
        foreach ((int groups, int channels, int outputs) in new[] { (8, 4, 4), (4, 16, 16), (4, 3, 8), (2, 8, 32), (2, 5, 64), (17, 3, 5) })
        {
            ConvolutionCase c = new(
                new ConvolutionGeometry(2, axis, axis, groups, channels, groups * outputs), new NestedBits(8, 6), groups, 0, isPart: false);
            Assert.Equal(c.Expected(), c.Run(TestTiers.Get(tier), new ThreadedLoop(2)));
        }
    }

    /// <summary>Enough positions and weights for several blocks, parts and inner panels, with and without a copy of the input.</summary>
    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Layers_of_several_blocks_equal_the_definition(string tier)
    {
        ConvolutionAxis padded = new(40, 3, 1, 1, 1, 40),
            strided = new(41, 3, 3, 2, 2, 14),
            pointwise = new(40, 1, 1, 1, 0, 40),
            everySecond = new(40, 1, 2, 1, 0, 20);
        foreach ((
                ConvolutionAxis axis,
                int channels,
                int outputs) in new[] { (padded, 8, 72), (strided, 36, 72), (pointwise, 16, 300), (everySecond, 12, 40) })
        {
            ConvolutionCase c = new(
                new ConvolutionGeometry(1, axis, axis, 1, channels, outputs), new NestedBits(8, 6), outputs, 0, isPart: false);
            Requantization requantization = new(3f, 7);
            byte[] expected = c.ExpectedQuantized(requantization);
            Assert.Equal(expected, c.RunQuantized(TestTiers.Get(tier), new ThreadedLoop(2), requantization));
            Assert.Equal(expected, c.RunQuantized(TestTiers.Get(tier), new BackwardLoop(), requantization, new PanelCache(20000)));
        }
    }

    /// <summary>Lines in several tiles, a line in several tiles, and a kernel whose reach leaves it to the general kernel.</summary>
    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void A_depthwise_convolution_equals_the_definition_wherever_its_tiles_end(string tier)
    {
        ConvolutionAxis line = new(130, 3, 1, 1, 1, 130), strided = new(61, 3, 2, 2, 2, 31);
        ConvolutionAxis wide = new(6000, 5, 1, 3, 6, 6000), far = new(5, 2, 1, 40000, 20000, 5);
        foreach ((ConvolutionAxis height, ConvolutionAxis width) in ((ConvolutionAxis, ConvolutionAxis)[])[
                (line, line), (strided, line), (ConvolutionAxis.Single, wide), (ConvolutionAxis.Single, far)
            ])
        {
            ConvolutionCase c = new(new ConvolutionGeometry(2, height, width, 35, 1, 35), new NestedBits(8, 6), 11, 0, isPart: false);
            Assert.Equal(c.Expected(), c.Run(TestTiers.Get(tier), new ThreadedLoop(2)));
        }
    }

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Requantized_results_equal_the_definition(string tier) =>
        Gen.Select(Cases(0), Requantizations).Sample(
            (c, r) => c.RunQuantized(TestTiers.Get(tier), new BackwardLoop(), r).AsSpan().SequenceEqual(c.ExpectedQuantized(r)), iter: 250);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Requantized_results_equal_the_definition_with_zero_points(string tier) =>
        Gen.Select(Cases(1000), Requantizations).Sample(
            (c, r) => c.RunQuantized(TestTiers.Get(tier), new BackwardLoop(), r).AsSpan().SequenceEqual(c.ExpectedQuantized(r)), iter: 100);

    [Theory]
    [MemberData(nameof(TestTiers.All), MemberType = typeof(TestTiers))]
    public void Requantized_results_of_any_size_equal_the_definition(string tier) =>
        Gen.Select(Cases(int.MaxValue), Requantizations).Sample(
            (c, r) => c.RunQuantized(TestTiers.Get(tier), new BackwardLoop(), r with { Scale = 1e-30f }).AsSpan()
                .SequenceEqual(c.ExpectedQuantized(r with { Scale = 1e-30f })),
            iter: 50);

    [Fact]
    public void A_factor_that_is_not_finite_is_refused()
    {
        ConvolutionCase c = NestedModels.SmallConv();
        string message = Assert.Throws<ArgumentException>(
            () => c.RunQuantized(TierSelection.Portable, new BackwardLoop(), new Requantization(1e-45f, 0))).Message;
        Assert.Contains("a finite", message, StringComparison.Ordinal);
    }

    private static Gen<Requantization> Requantizations =>
        from scale in Gen.Float[0.01f, 8f]
        from zeroPoint in Gen.Int[0, 255]
        from isClamped in Gen.Bool
        from first in Gen.Int[0, 255]
        from second in Gen.Int[0, 255]
        select isClamped
            ? new Requantization(scale, zeroPoint, Math.Min(first, second), Math.Max(first, second))
            : new Requantization(scale, zeroPoint);

    private static Gen<ConvolutionCase> Cases(int largestZeroPoint) =>
        from geometry in ConvolutionCase.Geometries
        from bits in NestedPackerTests.Levels
        from index in Gen.Int[0, bits.Count - 1]
        from hasPartRows in Gen.Bool
        from seed in Gen.Int[0, int.MaxValue]
        select new ConvolutionCase(geometry, bits, seed, largestZeroPoint, bits.Levels[index], hasPartRows: hasPartRows);
}
