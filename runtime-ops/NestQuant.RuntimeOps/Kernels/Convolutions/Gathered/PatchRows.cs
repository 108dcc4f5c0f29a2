using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.Gathered;

/// <summary>
/// Gathers, for a few output positions, the activations under the kernel in the order of k: taps, then input channels. Positions in the
/// padding become real 0, for any zero point.
/// </summary>
/// <param name="format">The format of the gathered rows.</param>
/// <param name="geometry">The convolution.</param>
/// <param name="data">Its tensors.</param>
/// <param name="values">Values of a row, at least K and a multiple of 4; those after K are set to real 0.</param>
internal readonly unsafe ref struct PatchRows(RowFormat format, ConvolutionGeometry geometry, in ConvolutionData data, int values)
{
    /// <summary>Bytes that must follow the gathered rows in their buffer.</summary>
    public const int MoveBytes = 32;

    private const int MostMoves = 16;

    private readonly RowFormat _format = format;
    private readonly ConvolutionGeometry _geometry = geometry;
    private readonly ConvolutionData _data = data;
    private readonly int _values = values;
    private readonly int _rowBytes = format.RowBytes(values);

    /// <summary>Gathers consecutive rows of one group.</summary>
    /// <param name="group">The group whose channels to read.</param>
    /// <param name="firstRow">First output position, counted over the batch.</param>
    /// <param name="rows">How many.</param>
    /// <param name="gathered">Receives the rows; <see cref="MoveBytes"/> more may be written.</param>
    /// <param name="rowSums">Receives each row's centered sum, or null when it is not needed.</param>
    public void Gather(int group, int firstRow, int rows, byte* gathered, long* rowSums)
    {
        if (_geometry.IsPointwise && _values == _geometry.ChannelsPerGroup)
        {
            // In bounds: row r of a pointwise convolution is position r of the input, and its group's channels are there.
            byte* x = _data.X + (long)firstRow * _geometry.InputChannels + (long)group * _values;
            for (int row = 0; row < rows; row++, x += _geometry.InputChannels)
                Finish(x, gathered + (long)row * _rowBytes, rowSums == null ? null : rowSums + row);
            return;
        }

        (int line, int column) = Math.DivRem(firstRow, _geometry.Width.Output);
        (int image, line) = Math.DivRem(line, _geometry.Height.Output);
        int done = 0;
        while (done < rows)
        {
            byte* target = gathered + (long)done * _rowBytes;
            int count = MoveLines(image, line, column, rows - done, target);
            if (count == 0)
                count = CopyInside(group, image, line, column, rows - done, target);
            if (count == 0)
            {
                GatherOne(group, image, line, column, _format.Gathered(target, _values));
                count = 1;
            }

            for (int i = 0; i < count; i++, target += _rowBytes)
                Finish(_format.Gathered(target, _values), target, rowSums == null ? null : rowSums + done + i);
            done += count;
            column += count;
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

    private void Finish(byte* x, byte* row, long* rowSum)
    {
        if (rowSum != null)
            *rowSum = ByteRuns.Sum(x, _values) - (long)_values * _data.XZeroPoint;
        _format.Convert(x, _values, _data.XZeroPoint, row);
    }

    /// <summary>
    /// Gathers rows for neighbouring outputs of a line whose taps lie within the lines of the image, each short line of the
    /// kernel by one move of a vector: the stems of networks, whose inputs have three channels.
    /// </summary>
    /// <returns>How many rows were gathered; 0 where the first one is not of this kind.</returns>
    [MethodImpl(MethodCompilation.Loops)]
    private int MoveLines(int image, int line, int column, int rows, byte* target)
    {
        ref readonly ConvolutionAxis height = ref _geometry.Height;
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        int channels = _geometry.InputChannels;
        int length = width.Kernel * channels;
        if (_geometry.Groups != 1 || width.Dilation != 1 || length > MoveBytes || height.Kernel > MostMoves)
            return 0;
        long x = (long)column * width.Stride - width.PadBegin;
        if (x < 0 || x + width.Kernel > width.Input)
            return 0;
        rows = (int)Math.Min(Math.Min(rows, width.Output - column), (width.Input - width.Kernel - x) / width.Stride + 1);

        // In bounds: a move reads and writes MoveBytes from the start of a kernel line on. Reads end within the input, which the number of
        // rows sees to; what is written beyond a line is overwritten by the next one, by the end of the row and by the next row, and after
        // the last row the buffer has MoveBytes more.
        byte** lines = stackalloc byte*[MostMoves];
        byte* padding = stackalloc byte[MoveBytes];
        new Span<byte>(padding, MoveBytes).Fill((byte)_data.XZeroPoint);
        byte* end = _data.X + (long)_geometry.Batch * height.Input * width.Input * channels;
        nint step = width.Stride * channels;
        for (int ky = 0; ky < height.Kernel; ky++)
        {
            long y = (long)line * height.Stride - height.PadBegin + (long)ky * height.Dilation;
            bool isInside = (ulong)y < (ulong)height.Input;
            lines[ky] = isInside ? _data.X + (((long)image * height.Input + y) * width.Input + x) * channels : null;
            if (isInside)
                rows = (int)Math.Min(rows, Math.Max(0, (end - MoveBytes - lines[ky] + step) / step));
        }

        int rest = _values - _geometry.ReductionLength;
        for (int row = 0; row < rows; row++, target += _rowBytes)
        {
            byte* next = _format.Gathered(target, _values);
            for (int ky = 0; ky < height.Kernel; ky++, next += length)
            {
                byte* source = lines[ky] == null ? padding : lines[ky] + row * step;
                Vector256.Load(source).Store(next);
            }

            for (int i = 0; i < rest; i++)
                *next++ = *padding;
        }

        return rows;
    }

    /// <summary>Gathers rows for neighbouring outputs of a line, all of whose taps lie inside the image.</summary>
    /// <returns>How many rows were gathered; 0 where the first one has taps in the padding.</returns>
    [MethodImpl(MethodCompilation.Loops)]
    private int CopyInside(int group, int image, int line, int column, int rows, byte* target)
    {
        // In bounds: the first and the last tap of every row lie inside the image, and so do all between; K activations are written.
        ref readonly ConvolutionAxis height = ref _geometry.Height;
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        long y = (long)line * height.Stride - height.PadBegin, x = (long)column * width.Stride - width.PadBegin;
        long lastColumn = width.Input - 1 - (width.Kernel - 1L) * width.Dilation;
        if (y < 0 || y + (height.Kernel - 1L) * height.Dilation >= height.Input || x < 0 || x > lastColumn)
            return 0;
        rows = (int)Math.Min(Math.Min(rows, width.Output - column), (lastColumn - x) / width.Stride + 1);

        // Without dilation and groups, the taps of one line are neighbours in memory.
        bool isOneRun = _geometry.Groups == 1 && width.Dilation == 1;
        int runs = isOneRun ? 1 : width.Kernel;
        int length = _geometry.ChannelsPerGroup * (isOneRun ? width.Kernel : 1);
        nint position = _geometry.InputChannels, tapStep = position * width.Dilation;
        nint lineStep = position * width.Input * height.Dilation, rowStep = position * width.Stride;
        int rest = _values - _geometry.ReductionLength;
        byte* source = _data.X + (((long)image * height.Input + y) * width.Input + x) * position + (long)group * _geometry.ChannelsPerGroup;
        for (int row = 0; row < rows; row++, source += rowStep, target += _rowBytes)
        {
            byte* next = _format.Gathered(target, _values);
            for (int ky = 0; ky < height.Kernel; ky++)
            {
                byte* run = source + ky * lineStep;
                for (int i = 0; i < runs; i++, run += tapStep, next += length)
                {
                    if (length == Vector128<byte>.Count)
                        Vector128.Load(run).Store(next);
                    else
                        ByteRuns.Copy(run, length, next);
                }
            }

            for (int i = 0; i < rest; i++)
                *next++ = (byte)_data.XZeroPoint;
        }

        return rows;
    }

    /// <summary>Gathers one row, some of whose taps may lie in the padding.</summary>
    private void GatherOne(int group, int image, int line, int column, byte* target)
    {
        // In bounds: only taps whose line and column are inside the image are read, ChannelsPerGroup bytes each from the group's
        // first channel; K activations and the rest of the row are written.
        int channels = _geometry.ChannelsPerGroup;
        ref readonly ConvolutionAxis height = ref _geometry.Height;
        ref readonly ConvolutionAxis width = ref _geometry.Width;
        int rest = _values - _geometry.ReductionLength;
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
            for (int run = 0; run < runs; run++, target += length)
                ByteRuns.Copy(source + (long)run * width.Dilation * _geometry.InputChannels, length, target);
            target = Pad(target, (width.Kernel - endTap) * channels);
        }

        Pad(target, rest);
    }

    private byte* Pad(byte* target, int count)
    {
        new Span<byte>(target, count).Fill((byte)_data.XZeroPoint);
        return target + count;
    }
}
