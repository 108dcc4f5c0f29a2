using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Gathered;

/// <summary>
/// Gathers, for a few output positions, the activations under the kernel in the order of k: taps, then input channels. Positions in the
/// padding become real 0, for any zero point.
/// </summary>
/// <param name="format">The format of the gathered rows.</param>
/// <param name="geometry">The convolution.</param>
/// <param name="data">Its tensors.</param>
/// <param name="rowStride">Values from one gathered row to the next, at least K; values after K are set to real 0.</param>
internal readonly unsafe ref struct PatchRows(RowFormat format, ConvolutionGeometry geometry, in ConvolutionData data, int rowStride)
{
    private readonly RowFormat _format = format;
    private readonly ConvolutionGeometry _geometry = geometry;
    private readonly ConvolutionData _data = data;
    private readonly int _rowStride = rowStride;

    /// <summary>Gathers consecutive rows of one group.</summary>
    /// <param name="group">The group whose channels to read.</param>
    /// <param name="firstRow">First output position, counted over the batch.</param>
    /// <param name="rows">How many.</param>
    /// <param name="gathered">Receives the rows.</param>
    /// <param name="rowSums">Receives each row's centered sum, or null when it is not needed.</param>
    public void Gather(int group, int firstRow, int rows, byte* gathered, long* rowSums)
    {
        if (_geometry.IsPointwise && _geometry.Groups == 1 && _rowStride == _geometry.ReductionLength)
        {
            // The rows are already contiguous in the input.
            _format.Copy(_data.X + (long)firstRow * _rowStride, rows * _rowStride, _data.XZeroPoint, gathered);
            for (int row = 0; row < rows && rowSums != null; row++)
                rowSums[row] = _format.CenteredSum(gathered + (long)row * _rowStride * _format.ValueBytes, _rowStride, _data.XZeroPoint);
            return;
        }

        (int line, int column) = Math.DivRem(firstRow, _geometry.Width.Output);
        (int image, line) = Math.DivRem(line, _geometry.Height.Output);
        for (int row = 0; row < rows; row++)
        {
            byte* target = gathered + (long)row * _rowStride * _format.ValueBytes;
            GatherOne(group, image, line, column, target);
            if (rowSums != null)
                rowSums[row] = _format.CenteredSum(target, _geometry.ReductionLength, _data.XZeroPoint);
            if (++column == _geometry.Width.Output)
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

    private void GatherOne(int group, int image, int line, int column, byte* target)
    {
        // In bounds: only taps whose line and column are inside the image are read, ChannelsPerGroup bytes each from the group's
        // first channel; K values and the rest of the stride are written.
        int channels = _geometry.ChannelsPerGroup;
        ref readonly ConvolutionAxis height = ref _geometry.Height;
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        int rest = _rowStride - _geometry.ReductionLength;
        long x = (long)column * width.Stride - width.PadBegin;
        (int firstTap, int endTap) = width.TapsInside(x);
        int taps = endTap - firstTap;

        // Without dilation and groups, the taps of one line are neighbours in memory.
        bool isOneRun = _geometry.Groups == 1 && width.Dilation == 1;
        for (int ky = 0; ky < height.Kernel; ky++)
        {
            long y = (long)line * height.Stride - height.PadBegin + (long)ky * height.Dilation;
            if ((ulong)y >= (ulong)height.Input || taps == 0)
            {
                target = Pad(target, width.Kernel * channels);
                continue;
            }

            target = Pad(target, firstTap * channels);
            long position = ((long)image * height.Input + y) * width.Input + x + (long)firstTap * width.Dilation;
            byte* source = _data.X + position * _geometry.InputChannels + (long)group * channels;
            int runs = isOneRun ? 1 : taps;
            int length = isOneRun ? taps * channels : channels;
            for (int run = 0; run < runs; run++, target += length * _format.ValueBytes)
                _format.Copy(source + (long)run * width.Dilation * _geometry.InputChannels, length, _data.XZeroPoint, target);
            target = Pad(target, (width.Kernel - endTap) * channels);
        }

        Pad(target, rest);
    }

    private byte* Pad(byte* target, int count)
    {
        _format.Pad(target, count, _data.XZeroPoint);
        return target + (long)count * _format.ValueBytes;
    }
}
