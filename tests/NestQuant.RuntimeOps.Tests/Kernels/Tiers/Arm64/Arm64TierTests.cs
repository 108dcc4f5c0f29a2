using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers.Arm64;

public unsafe class Arm64TierTests
{
    public static TheoryData<string, int> Cases()
    {
        TheoryData<string, int> cases = [];
        foreach (string tier in TestTiers.Arm64)
        {
            cases.Add(tier, 7);
            cases.Add(tier, -1);
        }

        return cases;
    }

    /// <summary>
    /// Every number of groups that four leaves over, of rows, and the largest products, two of which do not fit in 16 bits.
    /// </summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Products_are_those_of_unsigned_activations(string name, int seed)
    {
        KernelTier tier = TestTiers.Get(name);
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
}
