using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Streamed;

/// <summary>
/// A matrix product of one or a few rows, whose time is that of reading the weights: they are multiplied as they are decoded where the tier
/// has code for that, or else decoded a piece at a time into the innermost cache and multiplied there.
/// </summary>
internal sealed unsafe class StreamedProduct
{
    // Rows of k: a decoded piece takes 16 KiB.
    private const int PieceRows = 512;
    private const int MostRows = 4;
    private const int Channels = KernelTier.TileChannels;
    private const int BlockRows = NestedLayout.BlockRows;

    private readonly KernelTier _tier;
    private readonly int _rows;
    private readonly int _length;
    private readonly PanelSource _weights;
    private readonly ConvolutionData _data;
    private readonly long _outputStride;

    private StreamedProduct(KernelTier tier, ConvolutionGeometry geometry, in PanelSource weights, in ConvolutionData data)
    {
        _tier = tier;
        _rows = geometry.Rows;
        _length = geometry.ReductionLength;
        _weights = weights;
        _data = data;
        _outputStride = (long)geometry.OutputChannels * data.OutputBytes;
    }

    // Rows of k in full blocks.
    private int FullLength => _length / BlockRows * BlockRows;

    /// <summary>
    /// Whether the tier streams, there are few rows, which can be read from the input in place, their accumulators fit in 32 bits, and
    /// weights have no zero points. Panels that are kept are faster than any that must be decoded.
    /// </summary>
    public static bool Applies(KernelTier tier, ConvolutionGeometry geometry, in PanelSource weights, in ConvolutionData data) =>
        tier.Streaming is not null
            && geometry.Rows <= MostRows
            && geometry.Groups == 1
            && geometry.IsPointwise
            && geometry.ReductionLength <= KernelTier.MaxDotLength
            && weights.Cache is null
            && data.LargestZeroPoint(geometry.OutputChannels) == 0;

    /// <summary>Computes the whole output; see <see cref="NestedConvolution.Run"/>.</summary>
    public static void Run(
        KernelTier tier, ConvolutionGeometry geometry, in PanelSource weights, in ConvolutionData data, ParallelLoop loop)
    {
        StreamedProduct streamed = new(tier.Streaming!, geometry, weights, data);
        loop.Run(weights.Layout.Panels, streamed.RunPanel);
    }

    private void RunPanel(int panel)
    {
        int* accumulators = stackalloc int[MostRows * Channels];
        int* sums = stackalloc int[Channels];
        ReadOnlySpan<int> kept = _weights.Sums is { } store ? store.Get(_weights.Level, panel) : default;
        bool needsSums = _data.XZeroPoint != 0 && kept.IsEmpty;
        int first = _weights.MultiplyBlocks(_tier, panel, _data.X, _length, _rows, accumulators, needsSums ? sums : null);
        if (first == 0)
        {
            new Span<int>(accumulators, _rows * Channels).Clear();
            new Span<int>(sums, Channels).Clear();
        }

        MultiplyPieces(panel, first, accumulators, needsSums ? sums : null);
        MultiplyRest(panel, accumulators, needsSums ? sums : null);
        if (needsSums)
        {
            kept = new ReadOnlySpan<int>(sums, Channels);
            _weights.Sums?.Keep(_weights.Level, panel, kept);
        }

        Store(panel, accumulators, kept);
    }

    /// <summary>Multiplies the full blocks from a row of k on.</summary>
    private void MultiplyPieces(int panel, int first, int* accumulators, int* sums)
    {
        if (first == FullLength)
            return;
        using AlignedMemory piece = new(Math.Min(PieceRows, FullLength - first) * Channels);
        for (int k = first; k < FullLength; k += PieceRows)
            MultiplyPiece(panel, k, Math.Min(PieceRows, FullLength - k), _data.X + k, _length, (sbyte*)piece.Address, accumulators, sums);
    }

    /// <summary>Multiplies the rows of k after the last full block.</summary>
    private void MultiplyRest(int panel, int* accumulators, int* sums)
    {
        // In bounds: the rest is less than a block, and its activations are completed with zeros.
        int count = _length - FullLength;
        if (count == 0)
            return;
        sbyte* values = stackalloc sbyte[NestedLayout.BlockValues];
        byte* rows = stackalloc byte[MostRows * BlockRows];
        new Span<byte>(rows, MostRows * BlockRows).Clear();
        for (int row = 0; row < _rows; row++)
            new ReadOnlySpan<byte>(_data.X + (long)row * _length + FullLength, count).CopyTo(new Span<byte>(rows + row * BlockRows, count));
        MultiplyPiece(panel, FullLength, count, rows, BlockRows, values, accumulators, sums);
    }

    /// <summary>Adds a piece's products to all rows' accumulators, and its weights to the sums where they are wanted.</summary>
    private void MultiplyPiece(int panel, int k, int count, byte* rows, nint rowStride, sbyte* values, int* accumulators, int* sums)
    {
        // In bounds: rows have 4 * groups activations, and all rows fit in one tile.
        int groups = (count + 3) / 4;
        int* tile = stackalloc int[_tier.TileRows * Channels];
        _weights.Decode(_tier, panel, k, count, values);
        _tier.Dot(rows, rowStride, _rows, values, groups, 0, Channels, tile);
        for (int i = 0; i < _rows * Channels; i++)
            accumulators[i] += tile[i];
        if (sums == null)
            return;
        _tier.SumWeights(values, groups, tile);
        for (int channel = 0; channel < Channels; channel++)
            sums[channel] += tile[channel];
    }

    private void Store(int panel, int* accumulators, ReadOnlySpan<int> sums)
    {
        int firstChannel = panel * Channels, channels = _weights.Layout.ChannelsOf(panel);
        PanelEpilogue epilogue = _data.Epilogue(firstChannel, channels);
        for (int channel = 0; channel < channels && _data.XZeroPoint != 0; channel++)
            epilogue.RowCentering[channel] = _data.XZeroPoint * sums[channel];
        _tier.Store(accumulators, _rows, 0, channels, epilogue, null, _data.Output(firstChannel), _outputStride);
    }
}
