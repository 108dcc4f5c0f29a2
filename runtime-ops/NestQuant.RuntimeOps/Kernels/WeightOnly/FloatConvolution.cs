using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>
/// A convolution of floats, channels second, with a nested weight: the product of <see cref="FloatProduct"/>, whose sides change places,
/// over the inputs of every output position. Padding counts as zeros, which are multiplied too.
/// </summary>
/// <remarks>
/// Blocks of positions and panels are cut into parts. A part goes through k in pieces: it copies the block's inputs for a piece into tiles
/// that fit in the innermost cache, then decodes each of its panels' weights of the piece and multiplies.
/// </remarks>
internal sealed unsafe class FloatConvolution : FloatPlan
{
    private const int Channels = KernelTier.TileChannels;

    // A tile of positions fills half of the innermost cache; the weights of six channels that it meets go through the rest.
    private const int MostPieceRows = 384;

    // So many positions that decoding a weight is cheap against multiplying it, and that their tiles stay in the second-level cache.
    private const int MostPositions = 384;

    private readonly Action<int> _copyPlane, _runPart;
    private readonly FloatBand _band;
    private readonly nint _plane;
    private readonly int _positions;
    private readonly int _pieceRows;
    private readonly int _blockTiles, _blocks, _panelsPerPart, _panelParts;
    private float* _image;
    private float* _copy;
    private float* _output;

    /// <summary>Prepares the runs of one shape.</summary>
    /// <param name="tier">The inner loops.</param>
    /// <param name="threads">Threads of the session, 1 or more.</param>
    /// <param name="geometry">The dimensions of the input, [N, C, H, W], and the output, [N, M, H', W'].</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <param name="bounds">Bounds of the results.</param>
    public FloatConvolution(KernelTier tier, int threads, ConvolutionGeometry geometry, NestedLayout layout, ClipBounds bounds)
        : base(tier, geometry, bounds)
    {
        (_copyPlane, _runPart) = (CopyPlane, RunPart);
        _plane = (nint)geometry.Height.Input * geometry.Width.Input;
        _band = new FloatBand(geometry);
        _positions = geometry.Height.Output * geometry.Width.Output;
        int length = geometry.ReductionLength, pieces = (length - 1) / MostPieceRows + 1;
        // Pieces start with blocks of eight rows.
        _pieceRows = (((length - 1) / pieces) | 7) + 1;
        int width = tier.Floats.TileColumns, tiles = (_positions - 1) / width + 1, most = MostPositions / width;
        _blockTiles = (tiles - 1) / ((tiles - 1) / most + 1) + 1;
        _blocks = (tiles - 1) / _blockTiles + 1;
        // A group that does not start with a panel may meet one more.
        int panels = (geometry.OutputsPerGroup - 1) / Channels + (geometry.OutputsPerGroup % Channels == 0 ? 1 : 2);
        panels = Math.Min(panels, layout.Panels);
        _panelsPerPart = (int)Math.Clamp((long)panels * _blocks * geometry.Groups / Partition.WantedParts(threads), 1, panels);
        _panelParts = (panels - 1) / _panelsPerPart + 1;
    }

    /// <inheritdoc/>
    public override string Name => "float-convolution";

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop)
    {
        using Scratch band = new(_band.Length * sizeof(float));
        for (int image = 0; image < Geometry.Batch; image++)
        {
            _image = X + image * _plane * Geometry.InputChannels;
            _copy = _band.IsInPlace ? _image : (float*)band.Address;
            _output = Y + (nint)image * Geometry.OutputChannels * _positions;
            if (!_band.IsInPlace)
                loop.Run(Geometry.InputChannels, _copyPlane);
            loop.Run(checked(Geometry.Groups * _blocks * _panelParts), _runPart);
        }
    }

    private void CopyPlane(int channel) => _band.Copy(_image + channel * _plane, _copy + channel * _band.PlaneStride);

    private void RunPart(int part)
    {
        // In bounds: groups, blocks and panels end at or before the last ones.
        (int groupBlock, int panelPart) = Math.DivRem(part, _panelParts);
        (int group, int block) = Math.DivRem(groupBlock, _blocks);
        int firstOfGroup = group * Geometry.OutputsPerGroup, endOfGroup = firstOfGroup + Geometry.OutputsPerGroup;
        int firstPanel = firstOfGroup / Channels + panelPart * _panelsPerPart;
        int endPanel = Math.Min(firstPanel + _panelsPerPart, (endOfGroup - 1) / Channels + 1);
        int blockWidth = _blockTiles * Tier.Floats.TileColumns, firstPosition = block * blockWidth;
        int length = Geometry.ReductionLength, pieceRows = _pieceRows;
        nint panelSums = (Channels + FloatKernel.SpareRows) * blockWidth;
        // Sums wait for the next piece, if there is one.
        nint keptSums = length <= pieceRows ? 0 : panelSums;

        using Scratch tiles = new((long)blockWidth * pieceRows * sizeof(float));
        using Scratch values = new(pieceRows * Channels);
        using Scratch left = new(pieceRows * Channels * sizeof(float));
        using Scratch sums = new((panelSums + keptSums * Math.Max(endPanel - firstPanel - 1, 0)) * sizeof(float));
        Block positions = new()
        {
            First = firstPosition,
            Count = Math.Min(blockWidth, _positions - firstPosition),
            Tiles = (float*)tiles.Address,
            TileLength = (nint)pieceRows * Tier.Floats.TileColumns,
            Left = (float*)left.Address,
            LeftStride = pieceRows,
            SumsStride = blockWidth,
        };
        for (int k = 0; k < length; k += pieceRows)
        {
            int count = Math.Min(pieceRows, length - k);
            CopyTiles(positions, group, k, count);
            for (int panel = firstPanel; panel < endPanel; panel++)
            {
                ChannelRange channels = new(
                    panel, Math.Max(panel * Channels, firstOfGroup), Math.Min((panel + 1) * Channels, endOfGroup));
                float* start = (float*)sums.Address + (panel - firstPanel) * keptSums;
                MultiplyPanel(positions, channels, k, count, (sbyte*)values.Address, start);
            }
        }
    }

    /// <summary>Copies the inputs of a block's positions for a piece of k.</summary>
    private void CopyTiles(in Block block, int group, int firstRow, int count)
    {
        // In bounds: a tile has width columns, of which a run of positions fills as many as there are positions.
        int width = Tier.Floats.TileColumns, channels = Geometry.ChannelsPerGroup;
        Span<nint> sources = stackalloc nint[width];
        Span<int> columns = stackalloc int[width + 1];
        float* input = _copy + (nint)group * channels * _band.PlaneStride;
        float* tile = block.Tiles;
        for (int position = 0; position < block.Count; position += width, tile += block.TileLength)
        {
            PositionTile runs = new(_band, block.First + position, Math.Min(width, block.Count - position), sources, columns);
            float* target = tile;
            (int tap, int channel) = Math.DivRem(firstRow, channels);
            for (int row = 0; row < count; tap++, channel = 0)
            {
                int rows = Math.Min(channels - channel, count - row);
                runs.Copy(input + channel * _band.PlaneStride + _band.TapOffsets[tap], _band.PlaneStride, rows, target, width);
                target += (nint)rows * width;
                row += rows;
            }
        }
    }

    /// <summary>Multiplies a piece of a panel with a block's positions, and stores the results after the last piece.</summary>
    private void MultiplyPanel(in Block block, in ChannelRange channels, int k, int count, sbyte* values, float* sums)
    {
        // In bounds: the panel's rows of channels lie in what is widened, and sums have as many rows, and spare ones.
        FloatKernel kernel = Tier.Floats;
        int firstOfPanel = channels.Panel * Channels, width = kernel.TileColumns;
        float* memory = stackalloc float[PanelFloats.Length];
        PanelFloats factors = new(Factors, firstOfPanel, Weights.Layout.ChannelsOf(channels.Panel), memory);
        Weights.Decode(Tier, channels.Panel, k, count, values);
        FloatKernel.WidenRows(values, (count + 3) / 4, factors.ZeroPoints, block.Left, block.LeftStride);
        float* left = block.Left + (channels.First - firstOfPanel) * block.LeftStride;
        float* tile = block.Tiles;
        for (int position = 0; position < block.Count; position += width, tile += block.TileLength)
        {
            bool isNarrow = block.Count - position <= kernel.NarrowColumns;
            kernel.Multiply(
                left, block.LeftStride, channels.Count, tile, isNarrow, count, sums + position, block.SumsStride, continues: k > 0);
        }

        if (k + count < Geometry.ReductionLength)
            return;
        float* y = _output + (nint)channels.First * _positions + block.First;
        for (int channel = channels.First; channel < channels.End; channel++, sums += block.SumsStride, y += _positions)
        {
            int c = channel - firstOfPanel;
            kernel.StorePositions(sums, factors.Scale[c], factors.Bias[c], ProductBounds, y, block.Count);
            Complete(y, block.Count);
        }
    }

    /// <summary>The channels of one panel that belong to one group.</summary>
    private readonly record struct ChannelRange(int Panel, int First, int End)
    {
        public int Count => End - First;
    }

    /// <summary>A block of positions in work.</summary>
    private struct Block
    {
        public int First;
        public int Count;
        public float* Tiles;
        public nint TileLength;
        public float* Left;
        public nint LeftStride;
        public nint SumsStride;
    }
}
