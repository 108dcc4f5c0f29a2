using System.Runtime.InteropServices;
using CsCheck;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Avx2;

/// <summary>The AVX2 tier's products, for weights of every magnitude and the activations that come nearest to saturation.</summary>
public unsafe class Avx2ProductTests
{
    private const int ManyRows = 100;

    private static readonly string[] Tiers = ["avx2", "avx2mul1"];

    public static TheoryData<string, int, int> Magnitudes
    {
        get
        {
            (int Bits, int Rows)[] kinds = [(QuadPanel.MaxWeightBits, ManyRows), (7, ManyRows), (9, ManyRows), (2, 1), (9, 1), (9, 2)];
            TheoryData<string, int, int> magnitudes = [];
            foreach (string tier in Tiers)
            {
                foreach ((int bits, int rows) in kinds)
                    magnitudes.Add(tier, bits, rows);
            }

            return magnitudes;
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Magnitudes))]
    public void Products_are_exact_for_any_weights_and_the_largest_activations(string name, int weightBits, int rowsOfProduct)
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        int limit = Math.Min(128, 1 << (weightBits - 1));
        Gen.Select(Gen.Int[1, 60], Gen.Int[1, 16], Gen.Int[0, 3], Gen.Int[0, int.MaxValue]).Sample(
            (groups, rows, shift, seed) =>
            {
                KernelTier tier = TierSelection.Select(name).For(weightBits, rowsOfProduct, groups * 4);
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
        foreach (string tier in Tiers)
        {
            foreach (int rows in (int[])[1, ManyRows])
            {
                int[] sums = Sums(TierSelection.Select(tier).For(bits, rows, 28), weights, x, 7, 5, 0, 32);
                Assert.Equal(Expected(weights, x, 7, 5, 0, 32), sums);
            }
        }
    }

    [SkippableFact]
    public void Weights_and_rows_choose_the_product()
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        foreach (string name in Tiers)
        {
            KernelTier tier = TierSelection.Select(name);
            Type ofLargeWeights = name == "avx2" ? typeof(SplitTier) : typeof(InnerProductTier);
            Assert.IsType<Avx2Tier>(tier.For(QuadPanel.MaxWeightBits, ManyRows, 64));
            Assert.IsType(ofLargeWeights, tier.For(QuadPanel.MaxWeightBits + 1, ManyRows, 64));
            Assert.IsType(ofLargeWeights, tier.For(9, ManyRows, KernelTier.MaxDotLength));
            Assert.IsType<SplitTier>(tier.For(9, ManyRows, KernelTier.MaxDotLength + 1));
            Assert.IsType<PlainTier>(tier.For(9, 1, 64));
        }
    }

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(128)]
    [InlineData(255)]
    public void Rows_of_inner_products_are_converted_in_place_as_from_elsewhere(int zeroPoint)
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        InnerProductRows format = new();
        for (int values = 4; values <= 100; values += 4)
        {
            byte[] x = new byte[values];
            new Random(values).NextBytes(x);
            byte[] row = new byte[format.RowBytes(values)], inPlace = new byte[row.Length];
            fixed (byte* source = x, target = row, own = inPlace)
            {
                format.Convert(source, values, zeroPoint, target);
                x.CopyTo(new Span<byte>(format.Gathered(own, values), values));
                format.Convert(format.Gathered(own, values), values, zeroPoint, own);
            }

            short[] centered = [.. x.Select(value => (short)(value - zeroPoint))];
            int correction = -Enumerable.Range(0, values).Where(static k => k % 4 < 2).Sum(k => centered[k] * centered[k + 2]);
            Assert.Equal(centered, MemoryMarshal.Cast<byte, short>(row.AsSpan(0, 2 * values)).ToArray());
            Assert.Equal(correction, BitConverter.ToInt32(row, 2 * values));
            Assert.Equal(row, inPlace);
        }
    }

    private static int[] Sums(KernelTier tier, sbyte[] weights, byte[] x, int groups, int rows, int firstChannel, int endChannel)
    {
        sbyte[] panel = new sbyte[tier.PreparedBytes(groups)];
        weights.CopyTo(panel, 0);
        int values = groups * 4, rowBytes = tier.Rows.RowBytes(values);
        byte[] formatted = new byte[rows * rowBytes];
        int[] tile = new int[tier.TileRows * KernelTier.TileChannels];
        fixed (sbyte* weightValues = panel)
        fixed (byte* activations = x, row = formatted)
        fixed (int* sums = tile)
        {
            for (int i = 0; i < rows; i++)
                tier.Rows.Convert(activations + i * values, values, 0, row + i * rowBytes);
            tier.Prepare(weightValues, groups);
            tier.Dot(row, rowBytes, rows, weightValues, groups, firstChannel, endChannel, sums);
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
