using System.Buffers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// An integer NHWC convolution with nested weights and a float epilogue; a matrix product is its 1x1 case.
/// </summary>
/// <remarks>
/// acc[m] = sum over k of (x - x_zp) * (w_int - w_zp[m]), exact, where padded positions contribute 0;
/// y = (float)acc * (x_scale * w_scale[m]) + bias[m], each float operation rounded on its own.
/// The output's rows (positions) and panels (32 channels) are cut into parts; a part widens its rows' activations once, then for
/// each of its panels decodes the weights into a cache-sized buffer and multiplies. Which part runs where does not matter: every
/// output element is computed whole, in exact integers, by one part.
/// </remarks>
internal sealed unsafe class NestedConvolution
{
    // Sized for a core's private cache: the widened rows of a part, beside one decoded panel.
    private const int RowBufferBytes = 256 * 1024;
    private const int MaxRowsPerPart = 16 * KernelTier.TileRows;

    // Enough parts for load balance on the machines this runs on; more would only repeat the widening of rows.
    private const int WantedParts = 16;

    private readonly KernelTier _tier;
    private readonly ConvolutionGeometry _geometry;
    private readonly PanelSource _weights;
    private readonly ConvolutionData _data;
    private readonly int _rowsPerPart;
    private readonly int _panelsPerPart;
    private readonly int _panelParts;
    private readonly bool _hasZeroPoint;
    private readonly bool _fitsInt32;
    private readonly long _outputStride;
    private readonly RowCompletion? _completion;

    private NestedConvolution(KernelTier tier, ConvolutionGeometry geometry, in PanelSource weights, in ConvolutionData data, RowEpilogue? epilogue)
    {
        _tier = tier;
        _geometry = geometry;
        _weights = weights;
        _data = data;
        (_rowsPerPart, int rowParts) = SplitRows(geometry.Rows, RowStride);
        int panels = weights.Layout.Panels;
        _panelsPerPart = Math.Max(1, (int)((long)panels * rowParts / WantedParts));
        _panelsPerPart = Math.Min(_panelsPerPart, panels);
        _panelParts = (panels + _panelsPerPart - 1) / _panelsPerPart;

        long largestZeroPoint = data.LargestZeroPoint(geometry.OutputChannels);
        _hasZeroPoint = largestZeroPoint != 0;
        _fitsInt32 = geometry.ReductionLength <= KernelTier.MaxDotLength
            && largestZeroPoint <= int.MaxValue / 255 / geometry.ReductionLength - 128;
        Parts = rowParts * _panelParts;
        _outputStride = epilogue?.RowStride ?? geometry.OutputChannels;
        _completion = epilogue is null ? null : new RowCompletion(epilogue, rowParts, _panelParts);
    }

    private int Parts { get; }

    private int RowStride => _weights.Groups * 4;

    /// <summary>Computes the whole output.</summary>
    /// <param name="tier">The inner loops to use.</param>
    /// <param name="geometry">Dimensions; the reduction length and the output channels are those of the weights.</param>
    /// <param name="weights">The nested weights.</param>
    /// <param name="data">Activations, factors and output, of the lengths that the geometry gives.</param>
    /// <param name="loop">Runs the parts.</param>
    /// <param name="epilogue">Finishes the output's rows; without one they are dense.</param>
    public static void Run(
        KernelTier tier,
        ConvolutionGeometry geometry,
        in PanelSource weights,
        in ConvolutionData data,
        ParallelLoop loop,
        RowEpilogue? epilogue = null)
    {
        ChannelView view = weights.Layout.View;
        if (view.WeightsPerChannel != geometry.ReductionLength || view.OutputChannels != geometry.OutputChannels)
            throw new ArgumentException("the weights are not those of the convolution");
        if (geometry.Rows == 0)
            return;
        if (DepthwiseConvolution.Applies(geometry, data))
        {
            DepthwiseConvolution.Run(tier, geometry, weights, data, loop, epilogue);
            return;
        }

        NestedConvolution convolution = new(tier, geometry, weights, data, epilogue);
        loop.Run(convolution.Parts, convolution.RunPart);
    }

    /// <summary>Cuts rows into equal parts of whole tiles.</summary>
    private static (int RowsPerPart, int Parts) SplitRows(int rows, long rowStride)
    {
        long tilesInBuffer = RowBufferBytes / sizeof(short) / rowStride / KernelTier.TileRows;
        int most = (int)Math.Clamp(tilesInBuffer * KernelTier.TileRows, KernelTier.TileRows, MaxRowsPerPart);
        int parts = (int)(((long)rows + most - 1) / most);
        int tiles = (int)(((long)rows + KernelTier.TileRows - 1) / KernelTier.TileRows);
        int rowsPerPart = (tiles + parts - 1) / parts * KernelTier.TileRows;
        return (rowsPerPart, (int)(((long)rows + rowsPerPart - 1) / rowsPerPart));
    }

    private void RunPart(int part)
    {
        (int rowPart, int panelPart) = Math.DivRem(part, _panelParts);
        int firstRow = rowPart * _rowsPerPart;
        int rows = Math.Min(_rowsPerPart, _geometry.Rows - firstRow);
        int firstPanel = panelPart * _panelsPerPart;
        int endPanel = Math.Min(firstPanel + _panelsPerPart, _weights.Layout.Panels);

        short[] rowBuffer = ArrayPool<short>.Shared.Rent(_rowsPerPart * RowStride);
        sbyte[] panelBuffer = ArrayPool<sbyte>.Shared.Rent(_weights.DecodedLength);
        try
        {
            fixed (short* centered = rowBuffer)
            fixed (sbyte* values = panelBuffer)
            {
                long* rowSums = stackalloc long[MaxRowsPerPart];
                PatchRows patches = new(_tier, _geometry, _data, RowStride);
                int gathered = -1;
                for (int panel = firstPanel; panel < endPanel; panel++)
                {
                    _weights.Decode(_tier, panel, values);
                    PanelEpilogue epilogue = _data.Epilogue(panel * NestedLayout.PanelChannels, _weights.Layout.ChannelsOf(panel));
                    int firstChannel = panel * NestedLayout.PanelChannels;
                    int endChannel = firstChannel + _weights.Layout.ChannelsOf(panel);
                    for (int group = firstChannel / _geometry.OutputsPerGroup; group * (long)_geometry.OutputsPerGroup < endChannel; group++)
                    {
                        if (group != gathered)
                            patches.Gather(group, firstRow, rows, centered, _hasZeroPoint ? rowSums : null);
                        gathered = group;
                        int first = Math.Max(firstChannel, group * _geometry.OutputsPerGroup) - firstChannel;
                        int end = Math.Min(endChannel, (group + 1) * _geometry.OutputsPerGroup) - firstChannel;
                        float* y = _data.Y + firstRow * _outputStride + firstChannel;
                        MultiplyRows(centered, rows, values, first, end, epilogue, rowSums, y);
                    }
                }
            }
        }
        finally
        {
            ArrayPool<short>.Shared.Return(rowBuffer);
            ArrayPool<sbyte>.Shared.Return(panelBuffer);
        }

        _completion?.PartDone(rowPart, firstRow, rows);
    }

    private void MultiplyRows(short* centered, int rows, sbyte* values, int first, int end, in PanelEpilogue epilogue, long* rowSums, float* y)
    {
        // In bounds: the row buffer holds whole tiles, so a tile's unused rows are readable; only `tileRows` of them are stored.
        int* tile = stackalloc int[KernelTier.TileRows * KernelTier.TileChannels];
        for (int row = 0; row < rows; row += KernelTier.TileRows)
        {
            int tileRows = Math.Min(KernelTier.TileRows, rows - row);
            short* x = centered + (long)row * RowStride;
            float* target = y + row * _outputStride;
            if (_fitsInt32)
            {
                _tier.Dot(x, RowStride, tileRows, values, _weights.Groups, first, end, tile);
                _tier.Store(tile, tileRows, first, end, epilogue, rowSums + row, target, _outputStride);
            }
            else
            {
                MultiplyWide(x, tileRows, values, first, end, epilogue, rowSums + row, tile, target);
            }
        }
    }

    /// <summary>The tile whose sums may exceed 32 bits: long reductions and large weight zero points.</summary>
    private void MultiplyWide(
        short* x, int tileRows, sbyte* values, int first, int end, in PanelEpilogue epilogue, long* rowSums, int* tile, float* target)
    {
        const int groupsPerSum = KernelTier.MaxDotLength / 4;
        Span<long> sums = stackalloc long[KernelTier.TileRows * KernelTier.TileChannels];
        sums.Clear();
        for (int group = 0; group < _weights.Groups; group += groupsPerSum)
        {
            int groups = Math.Min(groupsPerSum, _weights.Groups - group);
            _tier.Dot(x + group * 4, RowStride, tileRows, values + (long)group * 4 * KernelTier.TileChannels, groups, first, end, tile);
            for (int row = 0; row < tileRows; row++)
            {
                for (int channel = first; channel < end; channel++)
                    sums[row * KernelTier.TileChannels + channel] += tile[row * KernelTier.TileChannels + channel];
            }
        }

        for (int row = 0; row < tileRows; row++)
        {
            long rowSum = _hasZeroPoint ? rowSums[row] : 0;
            float* y = target + row * _outputStride;
            for (int channel = first; channel < end; channel++)
                y[channel] = epilogue.Apply(sums[row * KernelTier.TileChannels + channel], rowSum, channel);
        }
    }
}
