using NestQuant.RuntimeOps.Kernels;

namespace NestQuant.RuntimeOps.Tests.Kernels;

/// <summary>Rows of bytes, a panel, and the exact sums of their products.</summary>
internal sealed class DotCase
{
    private const int Group = 4;

    /// <param name="rowCount">Rows.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="gap">Bytes between rows.</param>
    /// <param name="seed">Seed of the values; negative for the largest product, 255 * -128, everywhere.</param>
    public DotCase(int rowCount, int groups, int gap, int seed)
    {
        RowCount = rowCount;
        Groups = groups;
        RowStride = groups * Group + gap;
        Rows = new byte[(rowCount - 1) * RowStride + groups * Group];
        Panel = new sbyte[groups * Group * KernelTier.TileChannels];
        if (seed < 0)
        {
            Rows.AsSpan().Fill(byte.MaxValue);
            Panel.AsSpan().Fill(sbyte.MinValue);
        }
        else
        {
            Random random = new(seed);
            random.NextBytes(Rows);
            random.NextBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes(Panel.AsSpan()));
        }
    }

    public int RowCount { get; }

    public int Groups { get; }

    public int RowStride { get; }

    public byte[] Rows { get; }

    public sbyte[] Panel { get; }

    /// <summary>The sums by their definition, <c>[row][channel 32]</c>.</summary>
    public int[] Expected()
    {
        int[] tile = new int[RowCount * KernelTier.TileChannels];
        for (int i = 0; i < tile.Length; i++)
        {
            (int row, int channel) = Math.DivRem(i, KernelTier.TileChannels);
            for (int k = 0; k < Groups * Group; k++)
                tile[i] = checked(tile[i] + Rows[row * RowStride + k] * Panel[(k / Group * KernelTier.TileChannels + channel) * Group + k % Group]);
        }

        return tile;
    }
}
