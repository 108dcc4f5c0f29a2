using CsCheck;
using NestQuant.RuntimeOps.Kernels;

namespace NestQuant.RuntimeOps.Tests.Kernels;

/// <summary>The AVX2 tier's products of bytes, for weights of every magnitude and the activations that come nearest to saturation.</summary>
public unsafe class SafePanelTests
{
    [SkippableFact]
    public void Products_are_exact_for_any_weights_and_the_largest_activations()
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        Gen.Select(Gen.Int[1, 100], Gen.Int[1, 12], Gen.Int[1, 128], Gen.Int[0, 3], Gen.Int[0, int.MaxValue]).Sample(
            (groups, rows, largest, shift, seed) =>
            {
                Random random = new(seed);
                sbyte[] weights = new sbyte[groups * 128];
                for (int i = 0; i < weights.Length; i++)
                    weights[i] = (sbyte)(Math.Clamp(Magnitude(random, largest), -128 >> shift, 127 >> shift) << shift);
                byte[] x = new byte[rows * groups * 4];
                random.NextBytes(x);
                for (int i = 0; i < x.Length; i++)
                    x[i] = random.Next(3) == 0 ? x[i] : (byte)255;
                int firstChannel = random.Next(32);
                return Sums(weights, x, groups, rows, firstChannel, 32, isPrepared: true).AsSpan()
                    .SequenceEqual(Expected(weights, x, groups, rows, firstChannel, 32));
            },
            iter: 1500);
    }

    [SkippableTheory]
    [InlineData(-128)]
    [InlineData(-127)]
    [InlineData(127)]
    [InlineData(64)]
    [InlineData(-65)]
    [InlineData(33)]
    [InlineData(-33)]
    [InlineData(0)]
    public void Products_of_equal_weights_are_exact(int weight)
    {
        Skip.IfNot(System.Runtime.Intrinsics.X86.Avx2.IsSupported, "the processor has no AVX2");
        sbyte[] weights = new sbyte[7 * 128];
        weights.AsSpan().Fill((sbyte)weight);
        byte[] x = new byte[5 * 28];
        x.AsSpan().Fill(255);
        Assert.Equal(Expected(weights, x, 7, 5, 0, 32), Sums(weights, x, 7, 5, 0, 32, isPrepared: true));
        Assert.Equal(Expected(weights, x, 7, 5, 0, 32), Sums(weights, x, 7, 5, 0, 32, isPrepared: false));
    }

    // Few weights are large, as in trained layers: now and then a pair or a quad is unsafe.
    private static int Magnitude(Random random, int largest) =>
        random.Next(20) == 0 ? random.Next(-128, 128) : random.Next(-largest, largest + 1);

    private static int[] Sums(sbyte[] weights, byte[] x, int groups, int rows, int firstChannel, int endChannel, bool isPrepared)
    {
        KernelTier tier = KernelTier.Select("avx2");
        sbyte[] panel = new sbyte[tier.PreparedBytes(groups)];
        weights.CopyTo(panel, 0);
        int[] tile = new int[tier.TileRows * KernelTier.TileChannels];
        fixed (sbyte* values = panel)
        fixed (byte* activations = x)
        fixed (int* sums = tile)
        {
            tier.Prepare(values, groups, isPrepared ? 100 : 1);
            tier.Dot(activations, groups * 4, rows, values, groups, firstChannel, endChannel, sums);
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
        [.. tile.Take(rows * KernelTier.TileChannels).Where((_, i) => i % KernelTier.TileChannels >= firstChannel && i % KernelTier.TileChannels < endChannel)];
}
