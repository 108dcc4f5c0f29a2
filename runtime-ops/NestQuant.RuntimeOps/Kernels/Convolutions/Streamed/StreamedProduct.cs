using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Streamed;

/// <summary>
/// A matrix product of one or a few rows, whose time is that of reading the weights: for a single row, weights are multiplied as they are
/// decoded; for a few rows, they are decoded a piece at a time into the innermost cache and multiplied there.
/// </summary>
internal sealed unsafe class StreamedProduct : ConvolutionPlan
{
    // Rows of k: a decoded piece takes 16 KiB.
    private const int PieceRows = 512;
    private const int MostRows = 4;
    private const int Channels = KernelTier.TileChannels;

    private readonly KernelTier _tier;
    private readonly TileProduct _product;
    private readonly int _rows;
    private readonly int _length;
    private readonly PanelSource _weights;
    private readonly Action<int> _runPanel;
    private readonly long _outputStride;

    private StreamedProduct(in ConvolutionProblem problem, TileProduct product)
        : base(problem)
    {
        _tier = problem.Tier;
        _product = product;
        _rows = problem.Geometry.Rows;
        _length = problem.Geometry.ReductionLength;
        _weights = problem.Weights;
        _outputStride = problem.OutputStride;
        _runPanel = RunPanel;
    }

    /// <summary>
    /// Plans a product of few rows, which can be read from the input in place, where the tier streams, accumulators fit in 32 bits,
    /// weights have no zero points and no panels are kept, which would be faster.
    /// </summary>
    public static ConvolutionPlan? TryPlan(in ConvolutionProblem problem)
    {
        ConvolutionGeometry geometry = problem.Geometry;
        return geometry.Rows <= MostRows
            && geometry.Groups == 1
            && geometry.IsPointwise
            && geometry.ChannelsPerGroup % 4 == 0
            && geometry.ReductionLength <= KernelTier.MaxDotLength
            && problem.Weights.Cache is null
            && problem.LargestZeroPoint == 0
            && problem.AreResultsOfInt32
            && !problem.HasRowEpilogue
            && problem.Tier.TileProduct(geometry.Rows, geometry.ReductionLength) is { } product
                ? new StreamedProduct(problem, product)
                : null;
    }

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop) => loop.Run(_weights.Layout.Panels, _runPanel);

    private void RunPanel(int panel)
    {
        using Scratch piece = new(PieceRows * Channels);
        using Scratch tile = new((MostRows + 1) * Channels * sizeof(int));
        sbyte* values = (sbyte*)piece.Address;
        int* accumulators = (int*)tile.Address;
        int* weightSums = accumulators + MostRows * Channels;
        int* totals = stackalloc int[Channels];
        new Span<int>(totals, Channels).Clear();
        new Span<int>(accumulators, MostRows * Channels).Clear();

        // A single-row product uses each decoded weight once.
        int first = _rows == 1 ? _weights.MultiplyBlocks(_tier, panel, Data.X, accumulators, totals) : 0;
        for (int k = first; k < _length; k += PieceRows)
        {
            int count = Math.Min(PieceRows, _length - k);
            int groups = (count + 3) / 4;
            _weights.Decode(_tier, panel, k, count, values);
            for (int row = 0; row < _rows; row++)
                Multiply(Data.X + (long)row * _length + k, values, groups, accumulators + row * Channels);
            if (Data.XZeroPoint == 0)
                continue;
            _tier.SumWeights(values, groups, weightSums);
            for (int channel = 0; channel < Channels; channel++)
                totals[channel] += weightSums[channel];
        }

        Store(panel, accumulators, totals);
    }

    /// <summary>Adds a piece's products to a row's accumulators.</summary>
    private void Multiply(byte* row, sbyte* values, int groups, int* accumulators)
    {
        // In bounds: the row has 4 * groups activations from here on, since its length is a multiple of 4.
        nint start = 0;
        TileArguments arguments = new()
        {
            Rows = row,
            Chunks = &start,
            EndOfChunks = &start + 1,
            ChunkGroups = groups,
            Panel = values,
            Tile = accumulators,
            Start = accumulators,
        };
        _product.Multiply(&arguments, 1, 2);
    }

    private void Store(int panel, int* accumulators, int* weightSums)
    {
        int firstChannel = panel * Channels;
        int channels = _weights.Layout.ChannelsOf(panel);
        PanelEpilogue epilogue = Data.Epilogue(firstChannel, channels);
        for (int i = 0; i < _rows * Channels; i++)
            accumulators[i] -= Data.XZeroPoint * weightSums[i % Channels];
        _product.Store(accumulators, _rows, channels, epilogue, Data.Output(firstChannel), _outputStride);
    }
}
