using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Depthwise;

/// <summary>
/// Cuts the output of a depthwise convolution into tiles: whole lines of one image where the input under a line is small, pieces of one
/// line where it is not. Either way the outputs of a tile are neighbours, and the input under it fits in a core's private cache.
/// </summary>
internal sealed class DepthwiseTiling
{
    // A quarter of the private cache of small cores; the part needed for one line stays in the innermost cache.
    private const long WantedStripPositions = 128 * 1024 / KernelTier.TileChannels;

    // Limit for the input under a single output, which only absurdly dilated kernels exceed.
    private const long MostStripPositions = 1024 * 1024 / KernelTier.TileChannels;

    private readonly ConvolutionGeometry _geometry;
    private readonly int _linesPerTile;
    private readonly int _columnsPerTile;
    private readonly int _lineTiles;
    private readonly int _columnTiles;

    /// <summary>Chooses the tiles.</summary>
    /// <param name="geometry">A convolution to which <see cref="Applies"/>.</param>
    /// <param name="wantedTiles">Tiles to aim for, so that all threads have work.</param>
    public DepthwiseTiling(ConvolutionGeometry geometry, int wantedTiles)
    {
        _geometry = geometry;
        long lineWidth = geometry.Width.Extent(geometry.Width.Output);
        if (geometry.Height.Extent(1) * lineWidth <= WantedStripPositions)
        {
            long mostLines = (WantedStripPositions / lineWidth - geometry.Height.Extent(1)) / geometry.Height.Stride + 1;
            int tilesPerImage = Math.Max(1, wantedTiles / geometry.Batch);
            _linesPerTile = (int)Math.Clamp((geometry.Height.Output + tilesPerImage - 1) / tilesPerImage, 1, mostLines);
            _columnsPerTile = geometry.Width.Output;
        }
        else
        {
            long mostWidth = WantedStripPositions / geometry.Height.Extent(1);
            _linesPerTile = 1;
            _columnsPerTile = (int)Math.Clamp((mostWidth - geometry.Width.Extent(1)) / geometry.Width.Stride + 1, 1, geometry.Width.Output);
        }

        _lineTiles = (geometry.Height.Output + _linesPerTile - 1) / _linesPerTile;
        _columnTiles = (geometry.Width.Output + _columnsPerTile - 1) / _columnsPerTile;
        Count = checked(geometry.Batch * _lineTiles * _columnTiles);
    }

    /// <summary>Tiles in all.</summary>
    public int Count { get; }

    /// <summary>Input positions under the largest tile.</summary>
    public int StripPositions => (int)(_geometry.Height.Extent(_linesPerTile) * _geometry.Width.Extent(_columnsPerTile));

    /// <summary>Whether the input under one output is small enough to be gathered.</summary>
    public static bool Applies(ConvolutionGeometry geometry) =>
        geometry.Height.Extent(1) <= MostStripPositions && geometry.Height.Extent(1) * geometry.Width.Extent(1) <= MostStripPositions;

    /// <summary>A tile by its index.</summary>
    public DepthwiseTile this[int index]
    {
        get
        {
            (int line, int column) = Math.DivRem(index, _columnTiles);
            (int image, line) = Math.DivRem(line, _lineTiles);
            (line, column) = (line * _linesPerTile, column * _columnsPerTile);
            int lines = Math.Min(_linesPerTile, _geometry.Height.Output - line),
                columns = Math.Min(_columnsPerTile, _geometry.Width.Output - column);
            int firstRow = (image * _geometry.Height.Output + line) * _geometry.Width.Output + column;
            return new DepthwiseTile(
                image, line, lines, column, columns, firstRow, (int)_geometry.Height.Extent(lines), (int)_geometry.Width.Extent(columns));
        }
    }
}

/// <summary>Neighbouring outputs of a depthwise convolution, and the strip of input under them, padding included.</summary>
/// <param name="Image">Image of the batch.</param>
/// <param name="Line">First output line.</param>
/// <param name="Lines">Output lines; 1 unless the tile has all columns.</param>
/// <param name="Column">First output column.</param>
/// <param name="Columns">Output columns.</param>
/// <param name="FirstRow">First output position, counted over the batch.</param>
/// <param name="StripLines">Lines of the strip.</param>
/// <param name="StripColumns">Columns of the strip.</param>
internal readonly record struct DepthwiseTile(
    int Image, int Line, int Lines, int Column, int Columns, int FirstRow, int StripLines, int StripColumns);
