using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers;

/// <summary>Rows of bytes, a panel, and the exact sums of their products.</summary>
internal sealed class DotCase
{
    private const int Group = 4;

    /// <param name="rowCount">Rows.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="gap">Bytes between rows.</param>
    /// <param name="seed">Seed of the values; negative for the largest product, 255 * -128, everywhere.</param>
    /// <param name="chunks">Pieces of a row, a divisor of the groups; they lie apart and in reverse order.</param>
    public DotCase(int rowCount, int groups, int gap, int seed, int chunks = 1)
    {
        const int gapOfChunks = 3;
        RowCount = rowCount;
        Groups = groups;
        ChunkBytes = groups / chunks * Group;
        Chunks = [.. Enumerable.Range(0, chunks).Reverse().Select(chunk => (nint)(chunk * (ChunkBytes + gapOfChunks)))];
        int rowBytes = (int)Chunks[0] + ChunkBytes;
        RowStride = rowBytes + gap;
        Rows = new byte[(rowCount - 1) * RowStride + rowBytes];
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

    /// <summary>Where a row's chunks begin.</summary>
    public nint[] Chunks { get; }

    public int ChunkBytes { get; }

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
                tile[i] = checked(
                    tile[i] + Rows[row * RowStride + Chunks[k / ChunkBytes] + k % ChunkBytes] * Panel[
                        (k / Group * KernelTier.TileChannels + channel) * Group + k % Group
                    ]);
        }

        return tile;
    }
}
