using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>
/// A matrix product of floats with a nested weight: y[row, m] = (sum over k of x[row, k] * (w_int[m, k] - zero point)) * scale + bias,
/// bounded. A sum is one accumulator, in ascending k; multiplications round with the additions that follow them.
/// </summary>
/// <remarks>
/// Rows and panels are cut into parts. A part decodes a piece of a panel into the innermost cache, once for all of its rows, and
/// multiplies.
/// </remarks>
internal sealed unsafe class FloatProduct : FloatPlan
{
    private const int Channels = KernelTier.TileChannels;

    // A tile of a widened piece fills half of the innermost cache; the rows that it meets stream through the rest.
    private const int PieceRows = 384;

    // So many that decoding a weight is cheap against multiplying it.
    private const int MostRowsPerPart = 192;

    private readonly Action<int> _runPart;
    private readonly int _rows;
    private readonly int _planeLength;
    private readonly int _rowParts, _rowsPerPart, _panelsPerPart, _panelParts;

    /// <summary>Prepares the runs of one shape.</summary>
    /// <param name="tier">The inner loops.</param>
    /// <param name="threads">Threads of the session, 1 or more.</param>
    /// <param name="geometry">The dimensions; x has as many rows of K values as there are output positions.</param>
    /// <param name="layout">The layout of the weight.</param>
    /// <param name="bounds">Bounds of the results.</param>
    /// <param name="planeLength">
    /// Rows of one plane of an output [rows / planeLength, M, planeLength]; 0 where it has a row of M values for each row.
    /// </param>
    public FloatProduct(
        KernelTier tier, int threads, ConvolutionGeometry geometry, NestedLayout layout, ClipBounds bounds, int planeLength = 0)
        : base(tier, geometry, bounds)
    {
        _runPart = RunPart;
        _rows = geometry.Rows;
        _planeLength = planeLength;
        _rowParts = (_rows - 1) / MostRowsPerPart + 1;
        _rowsPerPart = (_rows - 1) / _rowParts + 1;
        int panels = layout.Panels;
        _panelsPerPart = (int)Math.Clamp((long)panels * _rowParts / Partition.WantedParts(threads), 1, panels);
        _panelParts = (panels - 1) / _panelsPerPart + 1;
    }

    /// <inheritdoc/>
    public override string Name => "float-product";

    private int Length => Weights.Layout.View.WeightsPerChannel;

    /// <inheritdoc/>
    protected override void Run(ParallelLoop loop) => loop.Run(_rowParts * _panelParts, _runPart);

    private void RunPart(int part)
    {
        // In bounds: rows and panels end at or before the last ones.
        (int rowPart, int panelPart) = Math.DivRem(part, _panelParts);
        int firstRow = rowPart * _rowsPerPart, rows = Math.Min(_rowsPerPart, _rows - firstRow);
        int firstPanel = panelPart * _panelsPerPart, endPanel = Math.Min(firstPanel + _panelsPerPart, Weights.Layout.Panels);
        using Scratch values = new(PieceRows * Channels);
        using Scratch right = new(PieceRows * Channels * sizeof(float));
        using Scratch sums = new((long)(rows + FloatKernel.SpareRows) * Channels * sizeof(float));
        for (int panel = firstPanel; panel < endPanel; panel++)
            MultiplyPanel(panel, firstRow, rows, (sbyte*)values.Address, (float*)right.Address, (float*)sums.Address);
    }

    private void MultiplyPanel(int panel, int firstRow, int rows, sbyte* values, float* right, float* sums)
    {
        // In bounds: a piece has at most PieceRows rows of k, of which rows of x have as many; sums have 32 channels and spare rows.
        FloatKernel kernel = Tier.Floats;
        int firstChannel = panel * Channels, channels = Weights.Layout.ChannelsOf(panel);
        float* memory = stackalloc float[PanelFloats.Length];
        PanelFloats factors = new(Factors, firstChannel, channels, memory);
        float* x = X + (long)firstRow * Length;
        for (int k = 0; k < Length; k += PieceRows)
        {
            int count = Math.Min(PieceRows, Length - k), groups = (count + 3) / 4;
            Weights.Decode(Tier, panel, k, count, values);
            if (rows <= FloatKernel.FewRows)
            {
                kernel.MultiplyDecoded(x + k, Length, rows, values, count, factors.ZeroPoints, channels, sums, continues: k > 0);
                continue;
            }

            kernel.WidenColumns(values, groups, factors.ZeroPoints, right);
            for (int column = 0; column < channels; column += kernel.TileColumns)
            {
                bool isNarrow = channels - column <= kernel.NarrowColumns;
                kernel.Multiply(
                    x + k, Length, rows, right + column * 4 * groups, isNarrow, count, sums + column, Channels, continues: k > 0);
            }
        }

        // Results of planes are finished where they are, and then transposed.
        int outputs = Weights.Layout.View.OutputChannels;
        nint yStride = _planeLength == 0 ? outputs : Channels;
        float* y = _planeLength == 0 ? Y + (long)firstRow * outputs + firstChannel : sums;
        for (int row = 0; row < rows; row++, y += yStride)
            kernel.StoreChannels(sums + row * Channels, factors.Scale, factors.Bias, ProductBounds, y, channels);
        if (_planeLength != 0)
            StorePlanes(sums, firstRow, rows, firstChannel, channels);
    }

    /// <summary>Stores results whose rows are the positions of images.</summary>
    private void StorePlanes(float* results, int firstRow, int rows, int firstChannel, int channels)
    {
        // In bounds: a run of rows ends with its image.
        for (int row = 0; row < rows;)
        {
            (int image, int position) = Math.DivRem(firstRow + row, _planeLength);
            int count = Math.Min(rows - row, _planeLength - position);
            float* y = Y + ((nint)image * Weights.Layout.View.OutputChannels + firstChannel) * _planeLength + position;
            Transposition.Run(results + (nint)row * Channels, Channels, count, channels, y, _planeLength);
            for (int channel = 0; channel < channels; channel++)
                Complete(y + (nint)channel * _planeLength, count);
            row += count;
        }
    }
}
