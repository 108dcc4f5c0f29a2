using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Winograd;

/// <summary>
/// A 3x3 convolution of stride 1 by Winograd's F(4x4, 3x3): 36 products instead of 144 for each tile of 4x4 outputs, with exact results.
/// </summary>
/// <remarks>
/// y = A^T [(G g G^T) * (B^T d B)] A, summed over input channels between the brackets (Lavin and Gray, "Fast Algorithms for Convolutional
/// Neural Networks", 2015). Floats lose digits there; integers modulo 2^32 do not. The interpolation points are 0, 1, -1, 2, -1/2 and
/// infinity, two of each class modulo 2, because then the denominators 2, 6, 6, 30, 30 and 2 have no factor 2 beyond the first. All are
/// brought to 30 in G, so that the matrices are integers:
/// <code>
///       [ 2  3 -4 -3  2  0 ]       [ 15  0  0 ]
///       [ 0 -2 -5 -1  2  0 ]       [ -5 -5 -5 ]         [ 1  1  1  1  8  0 ]
/// B^T = [ 0  2  1 -5  2  0 ]   G = [  5 -5  5 ]   A^T = [ 0  1 -1  2 -4  0 ]
///       [ 0 -1 -2  1  2  0 ]       [  1  2  4 ]         [ 0  1  1  4  2  0 ]
///       [ 0  2 -1 -2  1  0 ]       [ -4  2 -1 ]         [ 0  1 -1  8 -1  1 ]
///       [ 0  2  3 -4 -3  2 ]       [  0  0 15 ]
/// </code>
/// The result is 900 y modulo 2^32; 225 has an inverse, which leaves 4 y, and y itself as long as |y| &lt; 2^29. Transformed activations
/// and weights fit in 16 bits. A block of the output's tiles is transformed at a time, then multiplied panel by panel.
/// </remarks>
internal sealed unsafe class WinogradConvolution : ConvolutionPlan
{
    /// <summary>|y| is at most 9 * 255 * 128 times the channels.</summary>
    public const int MaxInputChannels = (1 << 29) / (9 * 255 * 128);

    private const int TileOutputs = 4;
    private const int TileInputs = 6;

    // Below this, the transforms of activations cost more than the products save.
    private const int LeastOutputChannels = 16;

    // Transformed activations of a block: weights are transformed once per block.
    private const long BlockBytes = 2 * 1024 * 1024;
    private const long MostLineBytes = 4 * BlockBytes;

    // Their products stay in a core's private cache.
    private const int MostTilesPerPart = 64;

    // As in WinogradWeights, to avoid distances that are powers of two.
    private const int Padding = 32;

    private readonly KernelTier _tier;
    private readonly WinogradProduct _product;
    private readonly ConvolutionGeometry _geometry;
    private readonly PanelSource _weights;
    private readonly WinogradWeights _transformedWeights;
    private readonly long _outputStride;
    private readonly int _tilesPerLine;
    private readonly int _linesPerImage;
    private readonly int _linesPerBlock;
    private readonly Action<int> _transformLine, _multiplyPart, _finishLine;

    // The block that is being computed.
    private short* _transformed;
    private int _firstLine;
    private int _tiles;
    private int _tilesPerPart;

    private WinogradConvolution(in ConvolutionProblem problem, WinogradProduct product)
        : base(problem)
    {
        _tier = problem.Tier;
        _product = product;
        _geometry = problem.Geometry;
        _weights = problem.Weights;
        _transformedWeights = new WinogradWeights(_tier, _weights, _geometry.InputChannels, product.StripChannels);
        KeepPanels(_transformedWeights);
        _outputStride = problem.OutputStride;
        _tilesPerLine = TilesAlong(_geometry.Width);
        _linesPerImage = TilesAlong(_geometry.Height);
        _linesPerBlock = (int)Math.Clamp(BlockBytes / LineBytes(_geometry), 1, Lines);
        _transformLine = TransformLine;
        _multiplyPart = MultiplyPart;
        _finishLine = FinishLine;
        CountParts(Lines, 1);
    }

    private int Channels => _geometry.InputChannels;

    /// <summary>Accumulators of a tile's strip.</summary>
    private int StripProducts => WinogradProduct.Positions * _product.StripChannels;

    /// <summary>Lines of tiles, counted over the batch.</summary>
    private int Lines => _geometry.Batch * _linesPerImage;

    /// <summary>Values from one transformed position of the block's tiles to the next.</summary>
    private long PositionStride => (long)_tiles * Channels + Padding;

    /// <summary>
    /// Plans a 3x3 convolution of stride 1 that is large enough for the transforms to pay, on a tier that has products for it.
    /// </summary>
    public static ConvolutionPlan? TryPlan(in ConvolutionProblem problem) =>
        problem.Tier.Winograd is { } product && problem.LargestZeroPoint == 0 && Applies(problem.Geometry, product, problem.Threads)
            ? new WinogradConvolution(problem, product)
            : null;

    /// <summary>Whether the convolution has this form, and is large enough for the transforms to pay.</summary>
    public static bool Applies(ConvolutionGeometry geometry, WinogradProduct product, int threads)
    {
        if (geometry.Groups != 1 || !IsSuitable(geometry.Height) || !IsSuitable(geometry.Width))
            return false;
        if (geometry.InputChannels % InputTransform.VectorChannels != 0
            || geometry.InputChannels > MaxInputChannels
            || geometry.OutputChannels < LeastOutputChannels)
            return false;
        long tiles = (long)geometry.Batch * TilesAlong(geometry.Height) * TilesAlong(geometry.Width);
        WinogradShape shape = new(geometry.InputChannels, geometry.OutputChannels, geometry.Rows, tiles, threads);
        return product.Pays(shape) && LineBytes(geometry) <= MostLineBytes;
    }

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop)
    {
        using Scratch transformed = new(_linesPerBlock * LineBytes(_geometry) + WinogradProduct.Positions * Padding * sizeof(short));
        _transformed = (short*)transformed.Address;
        for (int line = 0; line < Lines; line += _linesPerBlock)
            RunBlock(line, loop);
    }

    private static bool IsSuitable(in ConvolutionAxis axis) => axis is { Kernel: 3, Stride: 1, Dilation: 1 };

    private static int TilesAlong(in ConvolutionAxis axis) => (axis.Output + TileOutputs - 1) / TileOutputs;

    /// <summary>Bytes of a line of transformed tiles.</summary>
    private static long LineBytes(ConvolutionGeometry geometry) =>
        (long)TilesAlong(geometry.Width) * WinogradProduct.Positions * geometry.InputChannels * sizeof(short);

    private void RunBlock(int firstLine, ParallelLoop loop)
    {
        int lines = Math.Min(_linesPerBlock, Lines - firstLine);
        int panels = _weights.Layout.Panels;
        int wanted = Partition.FewParts(Problem.Threads);
        _firstLine = firstLine;
        _tiles = lines * _tilesPerLine;
        int parts = Math.Min((wanted + panels - 1) / panels, Math.Max(1, _tiles / _product.LeastPartTiles));
        parts = Math.Max(parts, (_tiles + MostTilesPerPart - 1) / MostTilesPerPart);
        _tilesPerPart = (_tiles + parts - 1) / parts;
        parts = (_tiles + _tilesPerPart - 1) / _tilesPerPart;

        loop.Run(lines, _transformLine);
        loop.Run(checked(panels * parts), _multiplyPart);
        if (Problem.HasRowEpilogue)
            loop.Run(lines, _finishLine);
    }

    /// <summary>Transforms the activations of a line of tiles.</summary>
    private void TransformLine(int line)
    {
        // In bounds: inside the image a tile's 36 positions are read in place; at its borders they are gathered, including the padding.
        (int image, int y) = Math.DivRem(_firstLine + line, _linesPerImage);
        y = y * TileOutputs - _geometry.Height.PadBegin;
        int width = _geometry.Width.Input;
        bool isInside = y >= 0 && y + TileInputs <= _geometry.Height.Input;
        using Scratch patch = new(WinogradProduct.Positions * Channels);
        short* target = _transformed + (long)line * _tilesPerLine * Channels;
        byte* x0 = Data.X + (long)image * _geometry.Height.Input * width * Channels;
        for (int column = 0; column < _tilesPerLine; column++, target += Channels)
        {
            int x = column * TileOutputs - _geometry.Width.PadBegin;
            if (isInside && x >= 0 && x + TileInputs <= width)
            {
                byte* source = x0 + ((long)y * width + x) * Channels;
                InputTransform.Run(source, (nint)width * Channels, Channels, Channels, Data.XZeroPoint, target, (nint)PositionStride);
            }
            else
            {
                Gather(x0, y, x, patch.Address);
                InputTransform.Run(patch.Address, TileInputs * Channels, Channels, Channels, Data.XZeroPoint, target, (nint)PositionStride);
            }
        }
    }

    /// <summary>Copies the 6x6 positions of a tile, with the zero point outside the image.</summary>
    private void Gather(byte* image, int y, int x, byte* patch)
    {
        for (int line = y; line < y + TileInputs; line++)
        {
            for (int column = x; column < x + TileInputs; column++, patch += Channels)
            {
                if ((uint)line < (uint)_geometry.Height.Input && (uint)column < (uint)_geometry.Width.Input)
                    ByteRuns.Copy(image + ((long)line * _geometry.Width.Input + column) * Channels, Channels, patch);
                else
                    new Span<byte>(patch, Channels).Fill((byte)Data.XZeroPoint);
            }
        }
    }

    /// <summary>Multiplies some tiles of the block with one panel.</summary>
    private void MultiplyPart(int part)
    {
        // In bounds: the products of a tile are the strips of a panel at 36 positions; the last tiles may be computed together with
        // unused ones, for which there is room.
        (int panel, int index) = Math.DivRem(part, (_tiles + _tilesPerPart - 1) / _tilesPerPart);
        int firstTile = index * _tilesPerPart;
        int tiles = Math.Min(_tilesPerPart, _tiles - firstTile);
        int productBytes = (tiles + _product.SpareRows) * WinogradProduct.TileDistance * sizeof(int);
        byte* kept = Kept == null ? null : Kept.Get(_transformedWeights, panel);
        int pieceBytes = kept != null ? 0 : _transformedWeights.PieceLength * sizeof(short);
        int decodedBytes = kept != null ? 0 : _weights.DecodedLength;
        using Scratch memory = new(productBytes + pieceBytes + decodedBytes);
        int* products = (int*)memory.Address;
        short* piece = (short*)((byte*)products + productBytes);
        sbyte* decoded = (sbyte*)piece + pieceBytes;
        if (kept == null)
            _transformedWeights.Decode(panel, decoded);
        for (int chunk = 0; chunk < _transformedWeights.Chunks; chunk++)
        {
            for (int strip = 0; strip < _transformedWeights.StripsOf(panel); strip++)
            {
                if (kept == null)
                    _transformedWeights.Transform(decoded, chunk, strip, piece);
                else
                    piece = _transformedWeights.Piece(kept, chunk, strip);
                MultiplyPiece(piece, chunk, firstTile, tiles, products + strip * StripProducts);
            }
        }

        StoreTiles(panel, firstTile, tiles, products);
    }

    private void MultiplyPiece(short* piece, int chunk, int firstTile, int tiles, int* products)
    {
        int pairs = _transformedWeights.ChannelsOf(chunk) / 2;
        short* x = _transformed + (long)firstTile * Channels + chunk * WinogradWeights.ChunkChannels;
        for (int position = 0; position < WinogradProduct.Positions; position++, x += PositionStride)
        {
            short* weights = piece + position * _transformedWeights.PositionStride;
            int* accumulators = products + position * _product.StripChannels;
            _product.Multiply(x, Channels, tiles, weights, pairs, accumulators, adds: chunk > 0);
        }
    }

    private void StoreTiles(int panel, int firstTile, int tiles, int* products)
    {
        // In bounds: only lines and columns of the output that exist are stored, the panel's channels of each.
        int firstChannel = panel * NestedLayout.PanelChannels;
        int channels = _weights.Layout.ChannelsOf(panel);
        PanelEpilogue epilogue = Data.Epilogue(firstChannel, channels);
        int* outputs = stackalloc int[TileOutputs * TileOutputs * KernelTier.TileChannels];
        int strips = _transformedWeights.StripsOf(panel);
        for (int tile = firstTile; tile < firstTile + tiles; tile++, products += WinogradProduct.TileDistance)
        {
            for (int strip = 0; strip < strips; strip++)
                OutputTransform.Run(
                    products + strip * StripProducts, _product.StripChannels, outputs + strip * _product.StripChannels);
            (int line, int column) = Math.DivRem(tile, _tilesPerLine);
            (int image, line) = Math.DivRem(_firstLine + line, _linesPerImage);
            (line, column) = (line * TileOutputs, column * TileOutputs);
            int columns = Math.Min(TileOutputs, _geometry.Width.Output - column);
            for (int y = 0; y < Math.Min(TileOutputs, _geometry.Height.Output - line); y++)
            {
                long row = ((long)image * _geometry.Height.Output + line + y) * _geometry.Width.Output + column;
                int* tileLine = outputs + y * TileOutputs * KernelTier.TileChannels;
                byte* target = Data.Output(firstChannel) + row * _outputStride;
                _tier.Store(tileLine, columns, 0, channels, epilogue, null, target, _outputStride);
            }
        }
    }

    private void FinishLine(int line)
    {
        (int image, int imageLine) = Math.DivRem(_firstLine + line, _linesPerImage);
        int first = image * _geometry.Height.Output + imageLine * TileOutputs;
        int lines = Math.Min(TileOutputs, _geometry.Height.Output - imageLine * TileOutputs);
        RowsDone(_firstLine + line, first * _geometry.Width.Output, lines * _geometry.Width.Output);
    }
}
