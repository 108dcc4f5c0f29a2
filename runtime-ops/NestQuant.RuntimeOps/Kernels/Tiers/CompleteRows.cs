namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>Rows whose accumulators are complete, and what becomes of them; see <see cref="TileProduct.Store"/>.</summary>
/// <param name="tile">Accumulators, <c>[rows][channel 32]</c>.</param>
/// <param name="rows">Rows to store, at least 1.</param>
/// <param name="channels">Channels to store, 1 to 32.</param>
/// <param name="epilogue">The panel's factors.</param>
/// <param name="y">Output of row 0, channel 0 of the panel.</param>
/// <param name="yStride">Bytes from one row to the next.</param>
internal readonly unsafe struct CompleteRows(int* tile, int rows, int channels, PanelEpilogue* epilogue, byte* y, long yStride)
{
    /// <summary>Accumulators, <c>[rows][channel 32]</c>.</summary>
    public readonly int* Tile = tile;

    /// <summary>Rows to store.</summary>
    public readonly int Rows = rows;

    /// <summary>Channels to store.</summary>
    public readonly int Channels = channels;

    /// <summary>The panel's factors.</summary>
    public readonly PanelEpilogue* Epilogue = epilogue;

    /// <summary>Output of row 0, channel 0 of the panel.</summary>
    public readonly byte* Y = y;

    /// <summary>Bytes from one row to the next.</summary>
    public readonly long YStride = yStride;
}
