using NestQuant.RuntimeOps.Kernels.Execution;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// Interleaves channels that are the places of a block, channels last: what is [b, b, C] at a position becomes b rows of b positions.
/// </summary>
internal sealed unsafe class ChannelBlocks
{
    private readonly byte* _x;
    private readonly byte* _y;
    private readonly int _width;
    private readonly int _block;
    private readonly long _run;

    private ChannelBlocks(byte* x, byte* y, int width, int block, int channels)
    {
        _x = x;
        _y = y;
        _width = width;
        _block = block;
        _run = (long)block * channels;
    }

    /// <summary>Runs on maps.</summary>
    /// <param name="x">[rows, width, block, block, channels].</param>
    /// <param name="y">Receives [rows, block, width, block, channels].</param>
    /// <param name="rows">Rows of all samples.</param>
    /// <param name="width">Positions of a row.</param>
    /// <param name="block">Extent of a block.</param>
    /// <param name="channels">Channels of the result.</param>
    /// <param name="loop">Runs the rows.</param>
    public static void Run(byte* x, byte* y, int rows, int width, int block, int channels, ParallelLoop loop)
    {
        if (rows > 0)
            loop.Run(rows, new ChannelBlocks(x, y, width, block, channels).RunRow);
    }

    private void RunRow(int row)
    {
        // In bounds: a row of x and the block rows of y that it becomes have width * block runs each, of block * channels bytes.
        long length = (long)_width * _block * _run;
        byte* from = _x + row * length, to = _y + row * length;
        for (int down = 0; down < _block; down++)
        {
            for (int position = 0; position < _width; position++, to += _run)
                Buffer.MemoryCopy(from + ((long)position * _block + down) * _run, to, _run, _run);
        }
    }
}
