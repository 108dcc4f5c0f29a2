using System.Runtime.Intrinsics;
using CsCheck;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.WeightOnly;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Kernels.Execution;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.WeightOnly;

public class FloatKernelTests
{
    private const string Wide = "vectors of 512 bits";

    public static TheoryData<string> Tiers()
    {
        TheoryData<string> names = TestTiers.OfTheLibrary();
        names.Add(Wide);
        return names;
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void A_convolution_equals_the_definition_bit_for_bit(string tier) =>
        (from geometry in ConvolutionCase.Geometries
         from full in Gen.Int[3, 8]
         from high in Gen.Int[2, full - 1]
         from seed in Gen.Int[0, 10000]
         select (geometry, new NestedBits(full, high), seed)).Sample(
            (geometry, bits, seed) =>
            {
                ConvolutionCase weight = new(geometry, bits, seed, seed % 3 == 0 ? 1000 : 0, isPart: seed % 2 == 0);
                FloatCase c = new(weight, seed, Bounds(seed), hasAddend: seed % 5 < 2);
                float[] expected = c.ExpectedConvolution();
                return c.Convolve(Get(tier), new BackwardLoop()).AsSpan().SequenceEqual(expected)
                    && (geometry.Groups > 1 || c.ConvolveRows(Get(tier), new BackwardLoop()).AsSpan().SequenceEqual(expected));
            },
            iter: 60);

    /// <summary>One input channel for each output, of which an input channel has one or several.</summary>
    [Theory]
    [MemberData(nameof(Tiers))]
    public void A_depthwise_convolution_equals_the_definition_bit_for_bit(string tier) =>
        (from sizes in ConvolutionCase.Geometries
         from channels in Gen.Int[2, 70]
         from outputs in Gen.Int[1, 3]
         from seed in Gen.Int[0, 10000]
         select (new ConvolutionGeometry(sizes.Batch, sizes.Height, sizes.Width, channels, 1, channels * outputs), seed))
            .Where(static c => FloatDepthwise.Suits(c.Item1)).Sample(
                (geometry, seed) =>
                {
                    ConvolutionCase weight = new(geometry, new NestedBits(8, 5), seed, seed % 3 == 0 ? 1000 : 0, isPart: seed % 2 == 0);
                    FloatCase c = new(weight, seed, Bounds(seed), hasAddend: seed % 5 < 2);
                    float[] expected = c.ExpectedConvolution();
                    return c.ConvolveDepthwise(Get(tier), new BackwardLoop()).AsSpan().SequenceEqual(expected)
                        && c.ConvolveDepthwise(Get(tier), new ThreadedLoop(2), threads: 1).AsSpan().SequenceEqual(expected);
                },
                iter: 60);

    [Theory]
    [MemberData(nameof(Tiers))]
    public void A_product_equals_the_definition_bit_for_bit(string tier) =>
        Gen.Select(Gen.Int[1, 220], Gen.Int[1, 60], Gen.Int[1, 50], Gen.Int[0, 1000]).Sample(
            (rows, inner, outputs, seed) =>
            {
                FloatCase c = Product(rows, inner, outputs, seed);
                return c.Multiply(Get(tier), new BackwardLoop()).AsSpan().SequenceEqual(c.ExpectedProduct());
            },
            iter: 25);

    /// <summary>Up to four rows are multiplied without a panel of floats.</summary>
    [Theory]
    [MemberData(nameof(Tiers))]
    public void Few_rows_equal_the_definition_bit_for_bit(string tier)
    {
        foreach (int rows in new[] { 1, 2, 3, 4, 5 })
        {
            foreach ((int inner, int outputs) in new[] { (1, 1), (3, 9), (6, 17), (43, 33), (40, 64) })
            {
                for (int seed = 0; seed < 6; seed++)
                {
                    FloatCase c = Product(rows, inner, outputs, seed);
                    Assert.Equal(c.ExpectedProduct(), c.Multiply(Get(tier), new BackwardLoop()));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Tiers))]
    public void Pieces_of_k_and_blocks_of_positions_change_nothing(string tier)
    {
        foreach (int rows in new[] { 1, 4, 200 })
        {
            FloatCase product = Product(rows, inner: 803, outputs: 17, seed: 1);
            Assert.Equal(product.ExpectedProduct(), product.Multiply(Get(tier), new ThreadedLoop(3)));
        }

        ConvolutionAxis axis = new(20, 3, 1, 1, 1, 20);
        foreach ((int channels, int outputs, int groups) in new[] { (45, 33, 1), (24, 44, 2) })
        {
            ConvolutionGeometry geometry = new(1, axis, axis, groups, channels, outputs);
            FloatCase c = new(new ConvolutionCase(geometry, new NestedBits(8, 6), 3, 0, isPart: false), 3, hasAddend: true);
            float[] expected = c.ExpectedConvolution();
            foreach (int threads in new[] { 1, 5 })
                Assert.Equal(expected, c.Convolve(Get(tier), new ThreadedLoop(threads), threads));
        }
    }

    private static FloatCase Product(int rows, int inner, int outputs, int seed)
    {
        ConvolutionGeometry geometry = new(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(rows), 1, inner, outputs);
        ConvolutionCase c = new(geometry, new NestedBits(8, 5), seed, seed % 2 * 300, isPart: seed % 3 == 0);
        return new FloatCase(c, seed, Bounds(seed));
    }

    private static ClipBounds? Bounds(int seed) => (seed % 4) switch
    {
        0 => new ClipBounds(0, float.PositiveInfinity),
        1 => new ClipBounds(-0.5f, 0.25f),
        _ => null,
    };

    private static KernelTier Get(string tier) => tier == Wide ? new WideTier() : TestTiers.Get(tier);

    /// <summary>The widest vectors, which run on any processor.</summary>
    private sealed class WideTier : ByteRowsTier
    {
        public override FloatKernel Floats => FloatKernelOf<Vectors512, Vector512<float>>.Instance;
    }
}
