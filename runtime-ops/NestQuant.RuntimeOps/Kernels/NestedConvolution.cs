using System.Buffers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// An integer NHWC convolution with nested weights and a float or requantizing epilogue; a matrix product is its 1x1 case.
/// </summary>
/// <remarks>
/// acc[m] = sum over k of (x - x_zp) * (w_int - w_zp[m]), exact, where padded positions contribute 0;
/// y = (float)acc * (x_scale * w_scale[m]) + bias[m], each float operation rounded on its own; for a uint8 output both factors are
/// divided by y_scale, and y is clamped, rounded half to even and moved by y's zero point.
/// The output's rows (positions) and panels (32 channels) are cut into parts; a part gathers its rows' activations once, then for
/// each of its panels decodes the weights into a cache-sized buffer and multiplies. Which part runs where does not matter: every
/// output element is computed whole, in exact integers, by one part.
/// </remarks>
internal sealed unsafe class NestedConvolution
{
    // Sized for a core's private cache: the gathered rows of a part, beside one decoded panel.
    private const int RowBufferBytes = 256 * 1024;
    private const int MaxRowsPerPart = 96;

    // Enough parts for load balance on the machines this runs on; more would only repeat the gathering of rows.
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
        (_rowsPerPart, int rowParts) = SplitRows();
        int panels = weights.Layout.Panels;
        _panelsPerPart = Math.Max(1, (int)((long)panels * rowParts / WantedParts));
        _panelsPerPart = Math.Min(_panelsPerPart, panels);
        _panelParts = (panels + _panelsPerPart - 1) / _panelsPerPart;

        long largestZeroPoint = data.LargestZeroPoint(geometry.OutputChannels);
        _hasZeroPoint = largestZeroPoint != 0;
        _fitsInt32 = geometry.ReductionLength <= KernelTier.MaxDotLength
            && largestZeroPoint <= int.MaxValue / 255 / geometry.ReductionLength - 128;
        Parts = rowParts * _panelParts;
        _outputStride = (epilogue?.RowStride ?? geometry.OutputChannels) * data.OutputBytes;
        _completion = epilogue is null ? null : new RowCompletion(epilogue, rowParts, _panelParts);
    }

    private int Parts { get; }

    private int RowValues => _weights.Groups * 4;

    /// <summary>Bytes from one gathered row to the next.</summary>
    private int RowStride => RowValues * _tier.Rows.ValueBytes;

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
    private (int RowsPerPart, int Parts) SplitRows()
    {
        int tileRows = _tier.TileRows;
        int rows = _geometry.Rows;
        int most = Math.Clamp(RowBufferBytes / RowStride, tileRows, MaxRowsPerPart) / tileRows * tileRows;
        int parts = (int)(((long)rows + most - 1) / most);
        int tiles = (int)(((long)rows + tileRows - 1) / tileRows);
        int rowsPerPart = (tiles + parts - 1) / parts * tileRows;
        return (rowsPerPart, (int)(((long)rows + rowsPerPart - 1) / rowsPerPart));
    }

    private void RunPart(int part)
    {
        (int rowPart, int panelPart) = Math.DivRem(part, _panelParts);
        int firstRow = rowPart * _rowsPerPart;
        int rows = Math.Min(_rowsPerPart, _geometry.Rows - firstRow);
        int firstPanel = panelPart * _panelsPerPart;
        int endPanel = Math.Min(firstPanel + _panelsPerPart, _weights.Layout.Panels);

        byte[] rowBuffer = ArrayPool<byte>.Shared.Rent(rows * RowStride);
        sbyte[] panelBuffer = ArrayPool<sbyte>.Shared.Rent(_weights.DecodedLength);
        try
        {
            fixed (byte* gathered = rowBuffer)
            fixed (sbyte* values = panelBuffer)
            {
                long* rowSums = stackalloc long[MaxRowsPerPart];
                PatchRows patches = new(_tier.Rows, _geometry, _data, RowValues);
                int gatheredGroup = -1;
                for (int panel = firstPanel; panel < endPanel; panel++)
                {
                    _weights.Decode(_tier, panel, values);
                    int firstChannel = panel * NestedLayout.PanelChannels;
                    int endChannel = firstChannel + _weights.Layout.ChannelsOf(panel);
                    PanelEpilogue epilogue = Epilogue(panel, values);
                    for (int group = firstChannel / _geometry.OutputsPerGroup; group * (long)_geometry.OutputsPerGroup < endChannel; group++)
                    {
                        if (group != gatheredGroup)
                            patches.Gather(group, firstRow, rows, gathered, _hasZeroPoint ? rowSums : null);
                        gatheredGroup = group;
                        int first = Math.Max(firstChannel, group * _geometry.OutputsPerGroup) - firstChannel;
                        int end = Math.Min(endChannel, (group + 1) * _geometry.OutputsPerGroup) - firstChannel;
                        byte* y = _data.Output(firstChannel) + firstRow * _outputStride;
                        MultiplyRows(gathered, rows, values, first, end, epilogue, rowSums, y);
                    }
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rowBuffer);
            ArrayPool<sbyte>.Shared.Return(panelBuffer);
        }

        _completion?.PartDone(rowPart, firstRow, rows);
    }

    private PanelEpilogue Epilogue(int panel, sbyte* values)
    {
        PanelEpilogue epilogue = _data.Epilogue(panel * NestedLayout.PanelChannels, _weights.Layout.ChannelsOf(panel));
        if (!_tier.Rows.IsCentered && _fitsInt32)
            CenterRows(values, _weights.Groups, epilogue.RowCentering);
        return epilogue;
    }

    /// <summary>What rows of bytes add to each channel's sums over some groups of k: x's zero point times the weights.</summary>
    private void CenterRows(sbyte* values, int groups, int* centering)
    {
        // In 32 bits: at most 255 * 128 * MaxDotLength.
        _tier.SumWeights(values, groups, centering);
        for (int channel = 0; channel < KernelTier.TileChannels; channel++)
            centering[channel] *= _data.XZeroPoint;
    }

    private void MultiplyRows(byte* gathered, int rows, sbyte* values, int first, int end, in PanelEpilogue epilogue, long* rowSums, byte* y)
    {
        int* tile = stackalloc int[_tier.TileRows * KernelTier.TileChannels];
        for (int row = 0; row < rows; row += _tier.TileRows)
        {
            int tileRows = Math.Min(_tier.TileRows, rows - row);
            byte* x = gathered + (long)row * RowStride;
            byte* target = y + row * _outputStride;
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
        byte* x, int tileRows, sbyte* values, int first, int end, in PanelEpilogue epilogue, long* rowSums, int* tile, byte* target)
    {
        const int groupsPerSum = KernelTier.MaxDotLength / 4;
        Span<long> sums = stackalloc long[tileRows * KernelTier.TileChannels];
        sums.Clear();
        int* centering = stackalloc int[KernelTier.TileChannels];
        new Span<int>(centering, KernelTier.TileChannels).Clear();
        for (int group = 0; group < _weights.Groups; group += groupsPerSum)
        {
            int groups = Math.Min(groupsPerSum, _weights.Groups - group);
            sbyte* panel = values + (long)group * 4 * KernelTier.TileChannels;
            _tier.Dot(x + (long)group * 4 * _tier.Rows.ValueBytes, RowStride, tileRows, panel, groups, first, end, tile);
            if (!_tier.Rows.IsCentered)
                CenterRows(panel, groups, centering);
            for (int row = 0; row < tileRows; row++)
            {
                for (int channel = first; channel < end; channel++)
                    sums[row * KernelTier.TileChannels + channel] += tile[row * KernelTier.TileChannels + channel] - centering[channel];
            }
        }

        for (int row = 0; row < tileRows; row++)
        {
            long rowSum = _hasZeroPoint ? rowSums[row] : 0;
            for (int channel = first; channel < end; channel++)
                epilogue.Write(sums[row * KernelTier.TileChannels + channel], rowSum, channel, target + row * _outputStride);
        }
    }
}
