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
        // In bounds: only taps whose line and column are inside the image are read, ChannelsPerGroup bytes each from the group's
        // first channel; K values and the rest of the stride are written.
        int channels = _geometry.ChannelsPerGroup;
        ref readonly ConvolutionAxis height = ref _geometry.Height;
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        short* end = target + _rowStride;
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
                target = Zeros(target, width.Kernel * channels);
                continue;
            }

            target = Zeros(target, firstTap * channels);
            long position = ((long)image * height.Input + y) * width.Input + x + (long)firstTap * width.Dilation;
            byte* source = _data.X + position * _geometry.InputChannels + (long)group * channels;
            int runs = isOneRun ? 1 : taps;
            int length = isOneRun ? taps * channels : channels;
            for (int run = 0; run < runs; run++, target += length)
                _tier.Center(source + (long)run * width.Dilation * _geometry.InputChannels, length, _data.XZeroPoint, target);
            target = Zeros(target, (width.Kernel - endTap) * channels);
        }

        Zeros(target, (int)(end - target));
    }

    private static short* Zeros(short* target, int count)
    {
        new Span<short>(target, count).Clear();
        return target + count;
    }

    private long Sum(short* row)
    {
        long sum = 0;
        for (int k = 0; k < _geometry.ReductionLength; k++)
            sum += row[k];
        return sum;
    }
}
