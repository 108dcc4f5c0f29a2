using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Amx;

/// <summary>Products in the tile registers of AMX, 32 rows by a panel at a time.</summary>
/// <param name="kernels">The emitted code of AMX.</param>
/// <param name="vectors">The emitted code of AVX-512, for the epilogue.</param>
internal sealed unsafe class AmxTileProduct(EmittedTileProduct kernels, EmittedKernels vectors) : TileProduct
{
    private const int TileRows = TileProductEmitter.TileRows;

    private readonly EmittedTileProduct _kernels = kernels;
    private readonly EmittedKernels _vectors = vectors;

    /// <inheritdoc/>
    public override int MostRows => TileRows * TileProductEmitter.MaxRowTiles;

    /// <inheritdoc/>
    public override int MostChunkBytes => TileProductEmitter.TileRowBytes;

    /// <inheritdoc/>
    public override bool CrossesLines => true;

    /// <inheritdoc/>
    public override void Begin(int rows, int chunkGroups) => _kernels.Configure(Math.Min(rows, TileRows), chunkGroups);

    /// <inheritdoc/>
    public override void End() => _kernels.Release();

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override (int First, int Count) Tile(int row, int rows)
    {
        // Tiles are full: the last one starts among rows that were already computed, unless there are too few rows.
        int count = rows >= MostRows && rows - row > TileRows ? MostRows : Math.Min(rows, TileRows);
        return (Math.Min(row, rows - count), count);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override void Multiply(TileArguments* arguments, int rows, int vectors) =>
        _kernels.Multiply(arguments, rows > TileRows ? 2 : 1, vectors);

    /// <inheritdoc/>
    public override void Store(int* tile, int rows, int channels, in PanelEpilogue epilogue, byte* y, long yStride) =>
        _vectors.Store(tile, rows, channels, epilogue, y, yStride);
}
