using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Arm64;

namespace NestQuant.RuntimeOps.Tests.Kernels.Arm64;

public unsafe class NeonDotTests
{
    [Fact]
    public void The_emulated_instructions_are_those_of_the_definition() => ComesToTheDefinition<EmulatedNeon>();

    [SkippableFact]
    public void The_instructions_are_those_of_the_definition()
    {
        Skip.IfNot(NeonDot.IsSupported, "the processor is not an arm64 one with the dot product extension");
        ComesToTheDefinition<NeonDot>();
    }

    /// <summary>Every number of groups that four leaves over, rows that are no tile, and the largest products, at which 16 bits would overflow.</summary>
    [Theory]
    [InlineData(7)]
    [InlineData(-1)]
    public void Products_are_those_of_unsigned_activations(int seed)
    {
        KernelTier tier = new NeonDotTier<EmulatedNeon>();
        foreach (int groups in (int[])[1, 2, 3, 4, 5, 11, 64])
        {
            for (int rows = 1; rows <= tier.TileRows; rows++)
            {
                DotCase c = new(rows, groups, gap: 3, seed);
                Assert.Equal(c.Expected(), Sums(tier, c, 0));
                Assert.Equal(FromChannel(c.Expected(), 16), FromChannel(Sums(tier, c, 20), 16));
            }
        }
    }

    private static int[] Sums(KernelTier tier, DotCase c, int firstChannel)
    {
        sbyte[] panel = new sbyte[tier.PreparedBytes(c.Groups)];
        c.Panel.CopyTo(panel, 0);
        int[] tile = new int[tier.TileRows * KernelTier.TileChannels];
        fixed (byte* rows = c.Rows)
        fixed (sbyte* prepared = panel)
        fixed (int* sums = tile)
        {
            tier.Prepare(prepared, c.Groups);
            tier.Dot(rows, c.RowStride, c.RowCount, prepared, c.Groups, firstChannel, KernelTier.TileChannels, sums);
        }

        return tile[..(c.RowCount * KernelTier.TileChannels)];
    }

    private static int[] FromChannel(int[] tile, int channel) => [.. tile.Where((_, i) => i % KernelTier.TileChannels >= channel)];

    private static void ComesToTheDefinition<TNeon>()
        where TNeon : struct, INeon
    {
        Random random = new(1);
        byte[] bytes = new byte[48];
        for (int repeat = 0; repeat < 1000; repeat++)
        {
            random.NextBytes(bytes);
            if (repeat == 0)
                bytes.AsSpan(16).Fill(0x80);
            Vector128<int> sums = Vector128.Create(bytes).AsInt32();
            Vector128<sbyte> weights = Vector128.Create(bytes, 16).AsSByte(), x = Vector128.Create(bytes, 32).AsSByte();
            Assert.Equal(Dot(sums, weights, x, 0), TNeon.Dot(sums, weights, x, 0));
            Assert.Equal(Dot(sums, weights, x, 1), TNeon.Dot(sums, weights, x, 1));
            Assert.Equal(Dot(sums, weights, x, 2), TNeon.Dot(sums, weights, x, 2));
            Assert.Equal(Dot(sums, weights, x, 3), TNeon.Dot(sums, weights, x, 3));
            Vector128<short> a = weights.AsInt16(), b = x.AsInt16();
            Assert.Equal(MultiplyAdd(sums, a, b, 0), TNeon.MultiplyAddLower(sums, a, b));
            Assert.Equal(MultiplyAdd(sums, a, b, 4), TNeon.MultiplyAddUpper(sums, a, b));
        }
    }

    private static Vector128<int> Dot(Vector128<int> sums, Vector128<sbyte> weights, Vector128<sbyte> x, int four)
    {
        for (int i = 0; i < Vector128<sbyte>.Count; i++)
            sums = sums.WithElement(i / 4, sums[i / 4] + weights[i] * x[four * 4 + i % 4]);
        return sums;
    }

    private static Vector128<int> MultiplyAdd(Vector128<int> sums, Vector128<short> a, Vector128<short> b, int first)
    {
        for (int i = 0; i < Vector128<int>.Count; i++)
            sums = sums.WithElement(i, sums[i] + a[first + i] * b[first + i]);
        return sums;
    }
}
