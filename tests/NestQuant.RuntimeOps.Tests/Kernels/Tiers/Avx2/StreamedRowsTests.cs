using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx2;

/// <summary>Products with codes that are not put together to weights, against those with portably decoded weights.</summary>
public unsafe class StreamedRowsTests
{
    private const int MostRows = 4;
    private const int Channels = KernelTier.TileChannels;

    [SkippableTheory]
    [MemberData(nameof(PanelDecodeTests.Levels), MemberType = typeof(PanelDecodeTests))]
    public void Random_weights_are_multiplied_exactly_at_every_level(string levels)
    {
        NestedBits bits = NestedBits.Parse(levels);
        foreach (int blocks in new[] { 1, 2, 17, 40 })
        {
            NestedLayout layout = new(bits, new ChannelView(Channels, 8 * blocks, 1, 1));
            Compare(layout, RandomWeights.CreateSteps(layout, blocks), Random(MostRows * 8 * blocks, blocks));
        }
    }

    /// <summary>Where 16 bits would overflow first: the greatest and the least codes, times the activations that are furthest from the
    /// zero point.</summary>
    [SkippableTheory]
    [MemberData(nameof(PanelDecodeTests.Levels), MemberType = typeof(PanelDecodeTests))]
    public void The_largest_products_are_exact_at_every_level(string levels)
    {
        NestedBits bits = NestedBits.Parse(levels);
        const int blocks = 33;
        NestedLayout layout = new(bits, new ChannelView(Channels, 8 * blocks, 1, 1));
        byte[] x = new byte[MostRows * 8 * blocks];
        foreach ((bool isGreatest, byte activation) in ((bool, byte)[])[(true, 0), (true, 255), (false, 0), (false, 255)])
        {
            x.AsSpan().Fill(activation);
            sbyte[][] values = RandomWeights.CreateSteps(layout, 0);
            for (int step = 0; step < values.Length; step++)
            {
                int greatest = (1 << (bits.WidthOfStep(step) - 1)) - 1;
                values[step].AsSpan().Fill((sbyte)(isGreatest ? greatest : step == 0 ? -greatest - 1 : 0));
            }

            Compare(layout, values, x);
        }
    }

    private static byte[] Random(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static void Compare(NestedLayout layout, sbyte[][] values, byte[] x)
    {
        Skip.IfNot(X64Tier.IsSupported, "the processor has no AVX2");
        byte[][] operands = [.. values.Select((_, step) => new byte[layout.ByteLength(step)])];
        NestedPacker.Pack(layout, values, operands);
        using GuardedOperands pinned = new(operands);
        foreach (int level in layout.Bits.Levels)
        {
            LevelOperands weights = pinned.At(layout.Bits, level);
            for (int rows = 1; rows <= MostRows; rows++)
                Compare(weights, layout.View.WeightsPerChannel / 8, rows, x);
        }
    }

    private static void Compare(in LevelOperands weights, int blocks, int rows, byte[] x)
    {
        KernelTier tier = TierSelection.Select("avx2").Streaming!;
        sbyte[] decoded = new sbyte[blocks * NestedLayout.BlockValues];
        int[] products = new int[rows * Channels], sums = new int[Channels];
        int[] expectedProducts = new int[products.Length], expectedSums = new int[Channels];
        fixed (sbyte* w = decoded)
        fixed (byte* row = x)
        fixed (int* accumulators = products, weightSums = sums)
        {
            TierSelection.Portable.DecodeBlocks(weights, blocks, w);
            Assert.True(tier.TryMultiplyBlocks(weights, blocks, row, 8 * blocks, rows, accumulators, rows % 2 == 0 ? null : weightSums));
        }

        for (int i = 0; i < expectedProducts.Length * 8 * blocks; i++)
        {
            int k = i % (8 * blocks), channel = i / (8 * blocks) % Channels, row = i / (8 * blocks) / Channels;
            int weight = decoded[(k / 4 * Channels + channel) * 4 + k % 4];
            expectedProducts[row * Channels + channel] += weight * (x[row * 8 * blocks + k] - tier.StreamedZeroPoint);
            expectedSums[channel] += row == 0 && rows % 2 != 0 ? weight : 0;
        }

        Assert.Equal(expectedProducts, products);
        Assert.Equal(expectedSums, sums);
    }
}
