using CsCheck;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx2;

/// <summary>The AVX2 tier's products, for weights of every magnitude and the activations that come nearest to saturation.</summary>
public unsafe class Avx2ProductTests
{
    private const int ManyRows = 100;

    public static TheoryData<int, int> Magnitudes => new()
    {
        { QuadPanel.MaxWeightBits, ManyRows }, { 7, ManyRows }, { 9, ManyRows }, { 2, 1 }, { 9, 1 }, { 9, 2 },
    };

    [SkippableTheory]
    [MemberData(nameof(Magnitudes))]
    public void Products_are_exact_for_any_weights_and_the_largest_activations(int weightBits, int rowsOfProduct)
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        int limit = Math.Min(128, 1 << (weightBits - 1));
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 16], Gen.Int[0, 3], Gen.Int[0, int.MaxValue]).Sample(
            (groups, rows, shift, seed) =>
            {
                KernelTier tier = TierSelection.Select("avx2").For(weightBits, rowsOfProduct);
                rows = Math.Min(rows, tier.TileRows);
                Random random = new(seed);
                shift = weightBits <= QuadPanel.MaxWeightBits ? Math.Min(shift, 8 - weightBits) : 0;
                sbyte[] weights = new sbyte[groups * 128];
                for (int i = 0; i < weights.Length; i++)
                    weights[i] = (sbyte)((random.Next(4) == 0 ? -limit : random.Next(-limit, limit)) << shift);
                byte[] x = new byte[rows * groups * 4];
                random.NextBytes(x);
                for (int i = 0; i < x.Length; i++)
                    x[i] = random.Next(3) == 0 ? x[i] : (byte)255;
                int firstChannel = random.Next(32);
                return Sums(tier, weights, x, groups, rows, firstChannel, 32)
                    .AsSpan()
                    .SequenceEqual(Expected(weights, x, groups, rows, firstChannel, 32));
            },
            iter: 300);
    }

    [SkippableTheory]
    [InlineData(-128, -128)]
    [InlineData(127, 127)]
    [InlineData(127, -128)]
    [InlineData(64, 64)]
    [InlineData(64, 65)]
    [InlineData(-64, -64)]
    [InlineData(-64, -65)]
    [InlineData(-32, -32)]
    [InlineData(31, 31)]
    [InlineData(0, 0)]
    public void Products_of_equal_pairs_are_exact(int even, int odd)
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        sbyte[] weights = new sbyte[7 * 128];
        for (int i = 0; i < weights.Length; i++)
            weights[i] = (sbyte)(i % 2 == 0 ? even : odd);
        byte[] x = new byte[5 * 28];
        x.AsSpan().Fill(255);
        int bits = Math.Abs(even + 0.5) > 32 ? 8 : QuadPanel.MaxWeightBits;
        foreach (int rows in (int[])[1, ManyRows])
            Assert.Equal(Expected(weights, x, 7, 5, 0, 32), Sums(TierSelection.Select("avx2").For(bits, rows), weights, x, 7, 5, 0, 32));
    }

    [SkippableFact]
    public void Weights_and_rows_choose_the_product()
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        KernelTier tier = TierSelection.Select("avx2");
        Assert.IsType<Avx2Tier>(tier.For(QuadPanel.MaxWeightBits, ManyRows));
        Assert.IsType<SplitTier>(tier.For(QuadPanel.MaxWeightBits + 1, ManyRows));
        Assert.IsType<SplitTier>(tier.For(9, ManyRows));
        Assert.IsType<PlainTier>(tier.For(9, 1));
    }

    private static int[] Sums(KernelTier tier, sbyte[] weights, byte[] x, int groups, int rows, int firstChannel, int endChannel)
    {
        sbyte[] panel = new sbyte[tier.PreparedBytes(groups)];
        weights.CopyTo(panel, 0);
        byte[] formatted = new byte[x.Length * tier.Rows.ValueBytes];
        int[] tile = new int[tier.TileRows * KernelTier.TileChannels];
        fixed (sbyte* values = panel)
        fixed (byte* activations = x, row = formatted)
        fixed (int* sums = tile)
        {
            tier.Rows.Copy(activations, x.Length, 0, row);
            tier.Prepare(values, groups);
            tier.Dot(row, groups * 4 * tier.Rows.ValueBytes, rows, values, groups, firstChannel, endChannel, sums);
        }

        return Wanted(tile, rows, firstChannel, endChannel);
    }

    private static int[] Expected(sbyte[] weights, byte[] x, int groups, int rows, int firstChannel, int endChannel)
    {
        int[] tile = new int[rows * KernelTier.TileChannels];
        for (int row = 0; row < rows; row++)
        {
            for (int channel = 0; channel < KernelTier.TileChannels; channel++)
            {
                for (int k = 0; k < groups * 4; k++)
                    tile[row * KernelTier.TileChannels + channel] += x[row * groups * 4 + k] * weights[(k / 4 * 32 + channel) * 4 + k % 4];
            }
        }

        return Wanted(tile, rows, firstChannel, endChannel);
    }

    private static int[] Wanted(int[] tile, int rows, int firstChannel, int endChannel) =>
        [
            .. tile.Take(rows * KernelTier.TileChannels)
                .Where((_, i) => i % KernelTier.TileChannels >= firstChannel && i % KernelTier.TileChannels < endChannel)
        ];
}
