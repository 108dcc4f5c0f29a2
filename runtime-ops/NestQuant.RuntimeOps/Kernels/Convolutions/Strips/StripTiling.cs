using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Strips;

/// <summary>
/// Cuts the output of a depthwise convolution into tiles: lines of one image, whole where the strip under a line is small, in pieces of one
/// line where it is not.
/// </summary>
internal sealed class StripTiling
{
    // Most bytes of a strip, for a core's private cache; the strips of usual layers fit in the innermost one.
    private const long WantedStripBytes = 128 * 1024;

    private readonly ConvolutionGeometry _geometry;
    private readonly int _linesPerTile;
    private readonly int _columnsPerTile;
    private readonly int _lineTiles;
    private readonly int _columnTiles;

    /// <summary>Chooses the tiles.</summary>
    /// <param name="geometry">The convolution.</param>
    /// <param name="kernel">The inner loops.</param>
    /// <param name="shape">Its kernel.</param>
    /// <param name="wantedTiles">Tiles to aim for, so that all threads have work.</param>
    public StripTiling(ConvolutionGeometry geometry, StripKernel kernel, StripShape shape, int wantedTiles)
    {
        _geometry = geometry;
        long wantedColumns = WantedStripBytes / kernel.ColumnBytes / shape.Groups;
        if (geometry.Width.Extent(geometry.Width.Output) <= wantedColumns)
        {
            // Whole steps, so that only an image's last lines may be fewer.
            int tilesPerImage = Math.Max(1, wantedTiles / geometry.Batch);
            int steps = (geometry.Height.Output + shape.LinesPerStep - 1) / shape.LinesPerStep;
            _linesPerTile = (steps + tilesPerImage - 1) / tilesPerImage * shape.LinesPerStep;
            _columnsPerTile = geometry.Width.Output;
        }
        else
        {
            _linesPerTile = 1;
            _columnsPerTile = (int)Math.Clamp(
                (wantedColumns - geometry.Width.Extent(1)) / geometry.Width.Stride + 1, 1, geometry.Width.Output);
        }

        _lineTiles = (geometry.Height.Output + _linesPerTile - 1) / _linesPerTile;
        _columnTiles = (geometry.Width.Output + _columnsPerTile - 1) / _columnsPerTile;
        Count = checked(geometry.Batch * _lineTiles * _columnTiles);
    }

    /// <summary>Tiles in all.</summary>
    public int Count { get; }

    /// <summary>The most output lines of a tile.</summary>
    public int MostLines => Math.Min(_linesPerTile, _geometry.Height.Output);

    /// <summary>The most columns of a tile's strip.</summary>
    public int MostStripColumns => (int)_geometry.Width.Extent(_columnsPerTile);

    /// <summary>A tile by its index.</summary>
    public StripTile this[int index]
    {
        get
        {
            (int line, int column) = Math.DivRem(index, _columnTiles);
            (int image, line) = Math.DivRem(line, _lineTiles);
            (line, column) = (line * _linesPerTile, column * _columnsPerTile);
            int lines = Math.Min(_linesPerTile, _geometry.Height.Output - line),
                columns = Math.Min(_columnsPerTile, _geometry.Width.Output - column);
            int firstRow = (image * _geometry.Height.Output + line) * _geometry.Width.Output + column;
            return new StripTile(image, line, lines, column, columns, firstRow, (int)_geometry.Width.Extent(columns));
        }
    }
}

/// <summary>Neighbouring outputs of a depthwise convolution.</summary>
/// <param name="Image">Image of the batch.</param>
/// <param name="Line">First output line.</param>
/// <param name="Lines">Output lines; 1 unless the tile has all columns.</param>
/// <param name="Column">First output column.</param>
/// <param name="Columns">Output columns.</param>
/// <param name="FirstRow">First output position, counted over the batch.</param>
/// <param name="StripColumns">Input columns under the outputs, padding included.</param>
internal readonly record struct StripTile(int Image, int Line, int Lines, int Column, int Columns, int FirstRow, int StripColumns);
