namespace NestQuant.RuntimeOps.Kernels.Convolutions.ImplicitGemm;

/// <summary>Neighbouring output positions of one image.</summary>
/// <param name="Image">Image of the batch.</param>
/// <param name="FirstLine">First output line.</param>
/// <param name="Lines">Output lines; 1 where positions are not cut by lines.</param>
/// <param name="LineRows">Positions of a line.</param>
/// <param name="FirstRow">First output position, counted over the batch.</param>
internal readonly record struct RowBlock(int Image, int FirstLine, int Lines, int LineRows, int FirstRow)
{
    /// <summary>Positions of the block.</summary>
    public int Rows => Lines * LineRows;
}

/// <summary>
/// Cuts a convolution's output positions into blocks whose input stays in a core's private cache: whole lines of one image, or any
/// positions where the rows do not depend on lines.
/// </summary>
internal sealed class RowBlocks
{
    private const long WantedBytes = 192 * 1024;

    private readonly ConvolutionGeometry _geometry;
    private readonly bool _isInPlace;
    private readonly int _linesPerBlock;
    private readonly int _blocksPerImage;

    /// <summary>Cuts the positions.</summary>
    /// <param name="geometry">The convolution.</param>
    /// <param name="band">Its input.</param>
    /// <param name="wanted">Blocks to aim for, so that all threads have work.</param>
    /// <param name="tileRows">Rows of the product's largest tile.</param>
    public RowBlocks(ConvolutionGeometry geometry, InputBand band, int wanted, int tileRows)
    {
        _geometry = geometry;
        _isInPlace = band.IsInPlace;
        if (_isInPlace)
        {
            // Here a line is a tile.
            int tiles = (geometry.Rows - 1) / tileRows + 1;
            long most = Math.Max(1, WantedBytes / ((long)band.RowStride * tileRows));
            _linesPerBlock = (int)Math.Clamp((tiles + wanted - 1) / wanted, 1, most) * tileRows;
            _blocksPerImage = Count = (geometry.Rows - 1) / _linesPerBlock + 1;
            return;
        }

        int lines = geometry.Height.Output;
        long lineBytes = Math.Max(1, band.Bytes(2) - band.Bytes(1));
        int wantedPerImage = (wanted + geometry.Batch - 1) / geometry.Batch;
        long mostLines = Math.Max(1, (WantedBytes - band.Bytes(0)) / lineBytes);
        _linesPerBlock = (int)Math.Clamp((lines + wantedPerImage - 1) / wantedPerImage, 1, mostLines);
        _blocksPerImage = (lines + _linesPerBlock - 1) / _linesPerBlock;
        Count = checked(_blocksPerImage * geometry.Batch);
    }

    /// <summary>Blocks in all.</summary>
    public int Count { get; }

    /// <summary>The most lines of a block.</summary>
    public int MostLines => _isInPlace ? 1 : _linesPerBlock;

    /// <summary>A block by its index.</summary>
    public RowBlock this[int index]
    {
        get
        {
            if (_isInPlace)
            {
                int first = index * _linesPerBlock;
                return new RowBlock(0, 0, 1, Math.Min(_linesPerBlock, _geometry.Rows - first), first);
            }

            (int image, int block) = Math.DivRem(index, _blocksPerImage);
            int line = block * _linesPerBlock;
            int lines = Math.Min(_linesPerBlock, _geometry.Height.Output - line);
            return new RowBlock(
                image, line, lines, _geometry.Width.Output, (image * _geometry.Height.Output + line) * _geometry.Width.Output);
        }
    }
}
