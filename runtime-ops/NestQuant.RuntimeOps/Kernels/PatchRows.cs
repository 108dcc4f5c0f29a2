namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// Gathers, for a few output positions, the activations under the kernel as centered 16-bit values in the order of k: taps, then
/// input channels. Positions in the padding become 0, whatever the zero point.
/// </summary>
/// <param name="tier">Widens the activations.</param>
/// <param name="geometry">The convolution.</param>
/// <param name="data">Its tensors.</param>
/// <param name="rowStride">Values from one gathered row to the next, at least K; what lies after K is set to 0.</param>
internal readonly unsafe ref struct PatchRows(KernelTier tier, ConvolutionGeometry geometry, in ConvolutionData data, int rowStride)
{
    private readonly KernelTier _tier = tier;
    private readonly ConvolutionGeometry _geometry = geometry;
    private readonly ConvolutionData _data = data;
    private readonly int _rowStride = rowStride;

    /// <summary>Gathers consecutive rows of one group.</summary>
    /// <param name="group">The group whose channels to read.</param>
    /// <param name="firstRow">First output position, counted over the batch.</param>
    /// <param name="rows">How many.</param>
    /// <param name="centered">Receives the rows.</param>
    /// <param name="rowSums">Receives each row's sum, or null when nobody needs it.</param>
    public void Gather(int group, int firstRow, int rows, short* centered, long* rowSums)
    {
        (int line, int column) = Math.DivRem(firstRow, _geometry.Width.Output);
        (int image, line) = Math.DivRem(line, _geometry.Height.Output);
        for (int row = 0; row < rows; row++)
        {
            short* target = centered + (long)row * _rowStride;
            GatherOne(group, image, line, column, target);
            if (rowSums != null)
                rowSums[row] = Sum(target);
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

    private void GatherOne(int group, int image, int line, int column, short* target)
    {
        // In bounds: a tap is read only when its line and column are inside the image, and then ChannelsPerGroup bytes from the
        // group's first channel; K values and the rest of the stride are written.
        int channels = _geometry.ChannelsPerGroup;
        ConvolutionAxis height = _geometry.Height;
        ConvolutionAxis width = _geometry.Width;
        short* end = target + _rowStride;
        for (int ky = 0; ky < height.Kernel; ky++)
        {
            long y = (long)line * height.Stride - height.PadBegin + (long)ky * height.Dilation;
            for (int kx = 0; kx < width.Kernel; kx++, target += channels)
            {
                long x = (long)column * width.Stride - width.PadBegin + (long)kx * width.Dilation;
                if ((ulong)y >= (ulong)height.Input || (ulong)x >= (ulong)width.Input)
                {
                    new Span<short>(target, channels).Clear();
                    continue;
                }

                long position = ((long)image * height.Input + y) * width.Input + x;
                _tier.Center(_data.X + position * _geometry.InputChannels + (long)group * channels, channels, _data.XZeroPoint, target);
            }
        }

        new Span<short>(target, (int)(end - target)).Clear();
    }

    private long Sum(short* row)
    {
        long sum = 0;
        for (int k = 0; k < _geometry.ReductionLength; k++)
            sum += row[k];
        return sum;
    }
}
