using System.Buffers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// A convolution with one input and one output channel per group: no sum over channels to share, so 32 neighbouring channels are
/// computed at a time, tap by tap, straight from the activations.
/// </summary>
internal sealed unsafe class DepthwiseConvolution
{
    // Enough parts for load balance; more would only repeat the decoding of weights.
    private const int WantedParts = 16;
    private const int LeastRowsPerPart = 256;

    // Bounds the padding, which reaches as far as the taps of neighbouring outputs do.
    private const int MaxPaddingBytes = 64 * 1024;

    private readonly KernelTier _tier;
    private readonly ConvolutionGeometry _geometry;
    private readonly PanelSource _weights;
    private readonly ConvolutionData _data;
    private readonly long _outputStride;
    private readonly int _rowsPerPart;
    private readonly RowCompletion? _completion;

    private DepthwiseConvolution(
        KernelTier tier, ConvolutionGeometry geometry, in PanelSource weights, in ConvolutionData data, RowEpilogue? epilogue)
    {
        _tier = tier;
        _geometry = geometry;
        _weights = weights;
        _data = data;
        int rowParts = (WantedParts + weights.Layout.Panels - 1) / weights.Layout.Panels;
        _rowsPerPart = Math.Max(LeastRowsPerPart, (int)(((long)geometry.Rows + rowParts - 1) / rowParts));
        _outputStride = (epilogue?.RowStride ?? geometry.OutputChannels) * data.OutputBytes;
        _completion = epilogue is null ? null : new RowCompletion(epilogue, RowParts, weights.Layout.Panels);
    }

    private int Pairs => (_geometry.Taps + 1) / 2;

    /// <summary>Bytes from the taps of an output to those of its neighbour.</summary>
    private long Step => (long)_geometry.Width.Stride * _geometry.InputChannels;

    /// <summary>The most neighbouring outputs to compute at once.</summary>
    private int ColumnsPerRun => (int)Math.Clamp(MaxPaddingBytes / Step, 1, Math.Min(_tier.TileRows, _geometry.Width.Output));

    private int PaddingBytes => checked((int)((ColumnsPerRun - 1) * Step)) + NestedLayout.PanelChannels;

    /// <summary>
    /// Whether the convolution is depthwise and its weights, less their zero points, are small enough for 16-bit products with sums of 32 bits.
    /// </summary>
    public static bool Applies(ConvolutionGeometry geometry, in ConvolutionData data)
    {
        if (geometry.ChannelsPerGroup != 1 || geometry.OutputsPerGroup != 1 || geometry.Groups == 1)
            return false;
        long largestWeight = 128 + data.LargestZeroPoint(geometry.OutputChannels);
        return largestWeight <= short.MaxValue && largestWeight * 255 * (geometry.Taps + 1) <= int.MaxValue;
    }

    /// <summary>Computes the whole output; see <see cref="NestedConvolution.Run"/>.</summary>
    public static void Run(
        KernelTier tier,
        ConvolutionGeometry geometry,
        in PanelSource weights,
        in ConvolutionData data,
        ParallelLoop loop,
        RowEpilogue? epilogue)
    {
        DepthwiseConvolution convolution = new(tier, geometry, weights, data, epilogue);
        long parts = (long)weights.Layout.Panels * convolution.RowParts;
        loop.Run(checked((int)parts), convolution.RunPart);
    }

    private int RowParts => (int)(((long)_geometry.Rows + _rowsPerPart - 1) / _rowsPerPart);

    private void RunPart(int part)
    {
        (int panel, int rowPart) = Math.DivRem(part, RowParts);
        int firstRow = rowPart * _rowsPerPart;
        int endRow = Math.Min(firstRow + _rowsPerPart, _geometry.Rows);
        int taps = 2 * Pairs;
        sbyte[] panelBuffer = ArrayPool<sbyte>.Shared.Rent(_weights.DecodedLength);
        short[] weightBuffer = ArrayPool<short>.Shared.Rent(taps * KernelTier.TileChannels);
        nint[] tapBuffer = ArrayPool<nint>.Shared.Rent(taps);
        byte[] paddingBuffer = ArrayPool<byte>.Shared.Rent(PaddingBytes);
        paddingBuffer.AsSpan(0, PaddingBytes).Fill((byte)_data.XZeroPoint);
        try
        {
            fixed (sbyte* values = panelBuffer)
            fixed (short* weights = weightBuffer)
            fixed (nint* tapPointers = tapBuffer)
            fixed (byte* padding = paddingBuffer)
            {
                _weights.Decode(_tier, panel, values);
                PairTaps(panel, values, weights);
                RunRows(panel, firstRow, endRow, weights, padding, (byte**)tapPointers);
            }
        }
        finally
        {
            ArrayPool<sbyte>.Shared.Return(panelBuffer);
            ArrayPool<short>.Shared.Return(weightBuffer);
            ArrayPool<nint>.Shared.Return(tapBuffer);
            ArrayPool<byte>.Shared.Return(paddingBuffer);
        }

        _completion?.PartDone(rowPart, firstRow, endRow - firstRow);
    }

    private void RunRows(int panel, int firstRow, int endRow, short* weights, byte* padding, byte** taps)
    {
        int firstChannel = panel * NestedLayout.PanelChannels;
        int channels = _weights.Layout.ChannelsOf(panel);
        PanelEpilogue epilogue = Epilogue(firstChannel, channels, weights);
        int* tile = stackalloc int[_tier.TileRows * KernelTier.TileChannels];
        taps[2 * Pairs - 1] = padding;

        (int line, int column) = Math.DivRem(firstRow, _geometry.Width.Output);
        (int image, line) = Math.DivRem(line, _geometry.Height.Output);
        for (int row = firstRow; row < endRow;)
        {
            PointAtTaps(image, line, column, firstChannel, padding, taps);
            int columns = Math.Min(ColumnsAlike(column), endRow - row);
            _tier.DotDepthwise(taps, (nint)Step, columns, Pairs, weights, channels, tile);
            byte* y = _data.Output(firstChannel) + row * _outputStride;
            _tier.Store(tile, columns, 0, channels, epilogue, null, y, _outputStride);
            row += columns;
            column += columns;
            if (column == _geometry.Width.Output)
            {
                column = 0;
                if (++line == _geometry.Height.Output)
                {
                    line = 0;
                    image++;
                }
            }
        }
    }

    /// <summary>The panel's factors; its weights have their zero points taken off, its activations have not.</summary>
    private PanelEpilogue Epilogue(int firstChannel, int channels, short* weights)
    {
        PanelEpilogue epilogue = _data.Epilogue(firstChannel, channels);
        epilogue.HasZeroPoint = false;
        new Span<int>(epilogue.ZeroPoint, NestedLayout.PanelChannels).Clear();
        for (int pair = 0; pair < Pairs; pair++, weights += 2 * KernelTier.TileChannels)
        {
            for (int c = 0; c < channels; c++)
                epilogue.RowCentering[c] += _data.XZeroPoint * (weights[c * 2] + weights[c * 2 + 1]);
        }

        return epilogue;
    }

    /// <summary>How many outputs from this one on have all their columns of taps inside the image; at least this one.</summary>
    private int ColumnsAlike(int column)
    {
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        long x = (long)column * width.Stride - width.PadBegin;
        long free = width.Input - 1 - (x + (width.Kernel - 1L) * width.Dilation);
        if (x < 0 || free < 0)
            return 1;
        long columns = Math.Min(free / width.Stride + 1, width.Output - column);
        return (int)Math.Min(columns, ColumnsPerRun);
    }

    /// <summary>Reorders a decoded panel to <c>[tap / 2][channel 32][2]</c> and takes the zero points off.</summary>
    private void PairTaps(int panel, sbyte* values, short* weights)
    {
        // In bounds: `values` has a group of 4 taps for each tap, `weights` a pair; an odd last tap is paired with weight 0.
        int channels = _weights.Layout.ChannelsOf(panel);
        new Span<short>(weights, 2 * Pairs * KernelTier.TileChannels).Clear();
        int* zeroPoints = stackalloc int[KernelTier.TileChannels];
        for (int c = 0; c < channels; c++)
            zeroPoints[c] = _data.WeightZeroPoint(panel * KernelTier.TileChannels + c);
        for (int tap = 0; tap < _geometry.Taps; tap++)
        {
            sbyte* value = values + tap / 4 * (KernelTier.TileChannels * 4) + tap % 4;
            short* weight = weights + tap / 2 * (KernelTier.TileChannels * 2) + tap % 2;
            for (int c = 0; c < channels; c++)
                weight[c * 2] = (short)(value[c * 4] - zeroPoints[c]);
        }
    }

    /// <summary>Points at the activations under the kernel, and at the padding where there are none.</summary>
    /// <param name="image">Image of the batch.</param>
    /// <param name="line">Output line.</param>
    /// <param name="column">Output column.</param>
    /// <param name="firstChannel">The panel's first channel.</param>
    /// <param name="padding"><see cref="PaddingBytes"/> bytes of the zero point.</param>
    /// <param name="taps">Receives the pointers.</param>
    private void PointAtTaps(int image, int line, int column, int firstChannel, byte* padding, byte** taps)
    {
        // In bounds: a pointer is kept only for a position inside the image; of outputs that share pointers all columns
        // are inside, and the padding is as long as their steps.
        ref readonly ConvolutionAxis height = ref _geometry.Height;
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        long x = (long)column * width.Stride - width.PadBegin;
        long y = (long)line * height.Stride - height.PadBegin;
        (int firstX, int endX) = width.TapsInside(x);
        (int firstY, int endY) = height.TapsInside(y);
        long tapStep = (long)width.Dilation * _geometry.InputChannels;
        for (int ky = 0; ky < height.Kernel; ky++)
        {
            bool isLineInside = ky >= firstY && ky < endY;
            long position = ((long)image * height.Input + y + (long)ky * height.Dilation) * width.Input + x;
            byte* tap = _data.X + position * _geometry.InputChannels + firstChannel;
            for (int kx = 0; kx < width.Kernel; kx++, tap += tapStep)
                *taps++ = isLineInside && kx >= firstX && kx < endX ? tap : padding;
        }
    }
}
