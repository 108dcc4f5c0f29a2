using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Streamed;

/// <summary>
/// A matrix product of one or a few rows, whose time is that of reading the weights: they are multiplied as they are decoded where the tier
/// has code for that, or else decoded a piece at a time into the innermost cache and multiplied there.
/// </summary>
internal sealed unsafe class StreamedProduct : ConvolutionPlan
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
    private readonly long _outputStride;
    private readonly Action<int> _runPanel;

    // The sums of every panel's weights, kept from run to run where weights never change: summing them anew would take as long as a row's
    // products. A panel is one part, so no two threads write the same.
    private readonly int[]? _sums;
    private readonly bool[] _areSumsKnown;

    private StreamedProduct(in ConvolutionProblem problem, KernelTier tier)
        : base(problem)
    {
        _tier = tier;
        _rows = problem.Geometry.Rows;
        _length = problem.Geometry.ReductionLength;
        _weights = problem.Weights;
        _outputStride = problem.OutputStride;
        _runPanel = RunPanel;
        _sums = _weights.AreConstant ? new int[_weights.Layout.Panels * Channels] : null;
        _areSumsKnown = new bool[_weights.Layout.Panels];
    }

    /// <summary>By what the sums of the weights are multiplied.</summary>
    private int Centering => Data.XZeroPoint - _tier.StreamedZeroPoint;

    // Rows of k in full blocks.
    private int FullLength => _length / BlockRows * BlockRows;

    /// <summary>
    /// Plans a product of few rows, which can be read from the input in place, where the tier streams, accumulators fit in 32 bits and
    /// weights have no zero points. Panels that are kept are faster than any that must be decoded.
    /// </summary>
    public static ConvolutionPlan? TryPlan(in ConvolutionProblem problem)
    {
        ConvolutionGeometry geometry = problem.Geometry;
        return problem.Tier.Streaming is { } tier
            && geometry.Rows <= MostRows
            && geometry.Groups == 1
            && geometry.IsPointwise
            && geometry.ReductionLength <= KernelTier.MaxDotLength
            && problem.Weights.Cache is null
            && problem.LargestZeroPoint == 0
            && !problem.HasRowEpilogue
                ? new StreamedProduct(problem, tier)
                : null;
    }

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop) => loop.Run(_weights.Layout.Panels, _runPanel);

    private void RunPanel(int panel)
    {
        int* accumulators = stackalloc int[MostRows * Channels];
        int* sums = stackalloc int[Channels];
        bool needsSums = Centering != 0 && !_areSumsKnown[panel];
        int first = _weights.MultiplyBlocks(_tier, panel, Data.X, _length, _rows, accumulators, needsSums ? sums : null);
        if (first == 0)
        {
            new Span<int>(accumulators, _rows * Channels).Clear();
            new Span<int>(sums, Channels).Clear();
        }

        MultiplyPieces(panel, first, accumulators, needsSums ? sums : null);
        MultiplyRest(panel, accumulators, needsSums ? sums : null);
        if (needsSums)
        {
            if (_sums is not null)
                new ReadOnlySpan<int>(sums, Channels).CopyTo(_sums.AsSpan(panel * Channels));
            _areSumsKnown[panel] = _sums is not null;
        }

        bool areNew = needsSums || _sums is null;
        Store(panel, accumulators, areNew ? new ReadOnlySpan<int>(sums, Channels) : _sums.AsSpan(panel * Channels, Channels));
    }

    /// <summary>Multiplies the full blocks from a row of k on.</summary>
    private void MultiplyPieces(int panel, int first, int* accumulators, int* sums)
    {
        if (first == FullLength)
            return;
        using Scratch piece = new(Math.Min(PieceRows, FullLength - first) * Channels);
        for (int k = first; k < FullLength; k += PieceRows)
            MultiplyPiece(panel, k, Math.Min(PieceRows, FullLength - k), Data.X + k, _length, (sbyte*)piece.Address, accumulators, sums);
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
            new ReadOnlySpan<byte>(Data.X + (long)row * _length + FullLength, count).CopyTo(new Span<byte>(rows + row * BlockRows, count));
        MultiplyPiece(panel, FullLength, count, rows, BlockRows, values, accumulators, sums);
    }

    /// <summary>
    /// Adds a piece's products, less those of the tier's zero point, to all rows' accumulators, and its weights to the sums where they are
    /// wanted.
    /// </summary>
    private void MultiplyPiece(int panel, int k, int count, byte* rows, nint rowStride, sbyte* values, int* accumulators, int* sums)
    {
        // In bounds: rows have 4 * groups activations, and all rows fit in one tile.
        int groups = (count + 3) / 4;
        int* tile = stackalloc int[_tier.TileRows * Channels];
        _weights.Decode(_tier, panel, k, count, values);
        _tier.Dot(rows, rowStride, _rows, values, groups, 0, Channels, tile);
        for (int i = 0; i < _rows * Channels; i++)
            accumulators[i] += tile[i];
        if (sums == null && _tier.StreamedZeroPoint == 0)
            return;
        _tier.SumWeights(values, groups, tile);
        for (int i = 0; i < _rows * Channels; i++)
            accumulators[i] -= _tier.StreamedZeroPoint * tile[i % Channels];
        for (int channel = 0; channel < Channels && sums != null; channel++)
            sums[channel] += tile[channel];
    }

    private void Store(int panel, int* accumulators, ReadOnlySpan<int> sums)
    {
        int firstChannel = panel * Channels, channels = _weights.Layout.ChannelsOf(panel);
        PanelEpilogue epilogue = Data.Epilogue(firstChannel, channels);
        for (int channel = 0; channel < channels && Centering != 0; channel++)
            epilogue.RowCentering[channel] = Centering * sums[channel];
        _tier.Store(accumulators, _rows, 0, channels, epilogue, null, Data.Output(firstChannel), _outputStride);
    }
}
