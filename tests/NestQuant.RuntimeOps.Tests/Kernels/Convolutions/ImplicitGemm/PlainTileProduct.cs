using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions.ImplicitGemm;

/// <summary>
/// The plainest product of tiles, with a tile of its own size: what is left to the driver of such products is tested on any processor.
/// </summary>
internal sealed unsafe class PlainTileProduct(int mostRows, int mostChunkBytes, bool crossesLines) : TileProduct
{
    public override int MostRows => mostRows;

    public override int MostChunkBytes => mostChunkBytes;

    public override bool CrossesLines => crossesLines;

    public override void Begin(int rows, int chunkGroups) => Assert.InRange(chunkGroups, 1, mostChunkBytes / 4);

    public override (int First, int Count) Tile(int row, int rows)
    {
        // As AMX: whole tiles where there are enough rows.
        int count = Math.Min(rows, mostRows);
        return (Math.Min(row, rows - count), count);
    }

    public override void Multiply(TileArguments* arguments, int rows, int vectors)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int channel = 0; channel < vectors * 16; channel++)
            {
                int sum = arguments->Start[channel];
                sbyte* panel = arguments->Panel + channel * 4;
                for (nint* chunk = arguments->Chunks; chunk < arguments->EndOfChunks; chunk++)
                {
                    byte* x = arguments->Rows + row * arguments->RowStride + *chunk;
                    for (int k = 0; k < arguments->ChunkGroups * 4; k++)
                        sum += x[k] * panel[k / 4 * (KernelTier.TileChannels * 4) + k % 4];
                    panel += arguments->ChunkGroups * KernelTier.TileChannels * 4;
                }

                arguments->Tile[row * KernelTier.TileChannels + channel] = sum;
            }
        }
    }

    public override void Store(int* tile, int rows, int channels, in PanelEpilogue epilogue, byte* y, long yStride)
    {
        Assert.False(epilogue.HasZeroPoint);
        for (int row = 0; row < rows; row++)
        {
            for (int channel = 0; channel < channels; channel++)
                epilogue.Write(tile[row * KernelTier.TileChannels + channel], 0, channel, y + row * yStride);
        }
    }
}
