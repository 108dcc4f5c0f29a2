using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Streamed;

/// <summary>
/// A matrix product of one or a few rows, whose time is that of reading the weights: for a single row, weights are multiplied as they are
/// decoded; for a few rows, they are decoded a piece at a time into the innermost cache and multiplied there.
/// </summary>
internal sealed unsafe class StreamedProduct
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
    private readonly ConvolutionData _data;
    private readonly long _outputStride;

    private StreamedProduct(
        KernelTier tier, TileProduct product, ConvolutionGeometry geometry, in PanelSource weights, in ConvolutionData data)
    {
        _tier = tier;
        _product = product;
        _rows = geometry.Rows;
        _length = geometry.ReductionLength;
        _weights = weights;
        _data = data;
        _outputStride = (long)geometry.OutputChannels * data.OutputBytes;
    }

    /// <summary>Whether there are few rows, which can be read from the input in place, and no panels are cached.</summary>
    public static bool Applies(ConvolutionGeometry geometry, in PanelSource weights) =>
        geometry.Rows <= MostRows
            && geometry.Groups == 1
            && geometry.IsPointwise
            && geometry.ChannelsPerGroup % 4 == 0
            && weights.Cache is null;

    /// <summary>Computes the whole output; see <see cref="NestedConvolution.Run"/>.</summary>
    public static void Run(
        KernelTier tier, TileProduct product, ConvolutionGeometry geometry, in PanelSource weights, in ConvolutionData data,
        ParallelLoop loop)
    {
        StreamedProduct streamed = new(tier, product, geometry, weights, data);
        loop.Run(weights.Layout.Panels, streamed.RunPanel);
    }

    private void RunPanel(int panel)
    {
        using AlignedMemory piece = new(PieceRows * Channels);
        using AlignedMemory tile = new((MostRows + 1) * Channels * sizeof(int));
        sbyte* values = (sbyte*)piece.Address;
        int* accumulators = (int*)tile.Address;
        int* weightSums = accumulators + MostRows * Channels;
        int* totals = stackalloc int[Channels];
        new Span<int>(totals, Channels).Clear();
        new Span<int>(accumulators, MostRows * Channels).Clear();

        // A single-row product uses each decoded weight once.
        int first = _rows == 1 ? _weights.MultiplyBlocks(_tier, panel, _data.X, accumulators, totals) : 0;
        for (int k = first; k < _length; k += PieceRows)
        {
            int count = Math.Min(PieceRows, _length - k);
            int groups = (count + 3) / 4;
            _weights.Decode(_tier, panel, k, count, values);
            for (int row = 0; row < _rows; row++)
                Multiply(_data.X + (long)row * _length + k, values, groups, accumulators + row * Channels);
            if (_data.XZeroPoint == 0)
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
        PanelEpilogue epilogue = _data.Epilogue(firstChannel, channels);
        for (int i = 0; i < _rows * Channels; i++)
            accumulators[i] -= _data.XZeroPoint * weightSums[i % Channels];
        _product.Store(accumulators, _rows, channels, epilogue, _data.Output(firstChannel), _outputStride);
    }
}
