namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>
/// Multiplies a tile of rows with a panel, reading rows in place: a row is not contiguous but consists of chunks at the same offsets in all
/// rows, and rows follow each other at a fixed distance. So a convolution needs no copy of its input for every tap.
/// </summary>
internal abstract unsafe class TileProduct
{
    /// <summary>The most rows of a tile.</summary>
    public abstract int MostRows { get; }

    /// <summary>The most bytes of a chunk, a multiple of 4.</summary>
    public abstract int MostChunkBytes { get; }

    /// <summary>
    /// Whether tiles should continue from one line of the output to the next, which computes unused results under the padding between them;
    /// otherwise a tile ends with its line.
    /// </summary>
    public abstract bool CrossesLines { get; }

    /// <summary>Prepares this thread for tiles; <see cref="End"/> must follow on the same thread.</summary>
    /// <param name="rows">The number of rows that will be cut into tiles.</param>
    /// <param name="chunkGroups">Groups of 4 bytes in a chunk.</param>
    public virtual void Begin(int rows, int chunkGroups)
    {
    }

    /// <summary>Undoes <see cref="Begin"/>.</summary>
    public virtual void End()
    {
    }

    /// <summary>The tile that has a row and those after it.</summary>
    /// <param name="row">The first row not covered by a tile yet.</param>
    /// <param name="rows">All rows, 1 or more.</param>
    /// <returns>The tile's first row, at most <paramref name="row"/>, and how many rows it has.</returns>
    public abstract (int First, int Count) Tile(int row, int rows);

    /// <summary>Multiplies one tile.</summary>
    /// <param name="arguments">The operands; all rows' chunks are readable, and nothing else is read.</param>
    /// <param name="rows">Rows, as <see cref="Tile"/> gave them.</param>
    /// <param name="vectors">1 for 16 channels, 2 for 32.</param>
    public abstract void Multiply(TileArguments* arguments, int rows, int vectors);

    /// <summary>The epilogue of rows whose accumulators are complete: <see cref="PanelEpilogue.Write"/> without the centering.</summary>
    /// <param name="tile">Accumulators, <c>[rows][channel 32]</c>.</param>
    /// <param name="rows">Rows to store, at least 1.</param>
    /// <param name="channels">Channels to store, 1 to 32.</param>
    /// <param name="epilogue">The panel's factors, without zero points of weights; quantized results fit in 32 bits before
    /// clamping.</param>
    /// <param name="y">Output of row 0, channel 0 of the panel.</param>
    /// <param name="yStride">Bytes from one row to the next.</param>
    public abstract void Store(int* tile, int rows, int channels, in PanelEpilogue epilogue, byte* y, long yStride);

    /// <summary>Multiplies one tile and stores another, in any order.</summary>
    /// <param name="arguments">The operands, as in <see cref="Multiply"/>; their tile is not the one that is stored.</param>
    /// <param name="rows">Rows, as <see cref="Tile"/> gave them.</param>
    /// <param name="vectors">1 for 16 channels, 2 for 32.</param>
    /// <param name="complete">The rows to store.</param>
    public virtual void MultiplyAndStore(TileArguments* arguments, int rows, int vectors, in CompleteRows complete)
    {
        Multiply(arguments, rows, vectors);
        Store(complete.Tile, complete.Rows, complete.Channels, *complete.Epilogue, complete.Y, complete.YStride);
    }
}
