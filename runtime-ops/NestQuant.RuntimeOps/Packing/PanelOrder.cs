namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// Relates the order of a panel's values to the weight's row-major order: the position of the value (k, channel) in a block of the panel,
/// and in the weight.
/// </summary>
internal readonly ref struct PanelOrder
{
    private readonly ChannelView _view;
    private readonly ReadOnlySpan<long> _channelStart;

    /// <summary>Describes one panel.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="panel">Index of the panel, below <see cref="NestedLayout.Panels"/>.</param>
    /// <param name="channelStart">Storage for 32 offsets; the caller keeps it alive.</param>
    public PanelOrder(NestedLayout layout, int panel, Span<long> channelStart)
    {
        _view = layout.View;
        Channels = layout.ChannelsOf(panel);
        for (int c = 0; c < Channels; c++)
        {
            (int group, int channel) = Math.DivRem(panel * NestedLayout.PanelChannels + c, _view.Channels);
            channelStart[c] = ((long)group * _view.Inner * _view.Channels + channel) * _view.Taps;
        }

        _channelStart = channelStart;
    }

    /// <summary>The panel's channels that exist in the weight.</summary>
    public int Channels { get; }

    /// <summary>Whether consecutive k of one channel are consecutive in the weight.</summary>
    public bool IsContiguousInK => _view.Channels == 1 && _view.Taps == 1;

    /// <summary>Offset, in the weight, of channel c's first element.</summary>
    public long ChannelStart(int c) => _channelStart[c];

    /// <summary>Writes the distance of each row of a block from a channel's first element.</summary>
    /// <param name="firstRow">The block's first k.</param>
    /// <param name="offsets">One entry per row of the block.</param>
    public void RowOffsets(int firstRow, Span<long> offsets)
    {
        (int tap, int inner) = Math.DivRem(firstRow, _view.Inner);
        for (int row = 0; row < offsets.Length; row++)
        {
            offsets[row] = (long)inner * _view.Channels * _view.Taps + tap;
            if (++inner == _view.Inner)
            {
                inner = 0;
                tap++;
            }
        }
    }

    /// <summary>
    /// Splits a block's rows into its one or two k-groups: a group of g rows is stored <c>[channel 32][k g]</c>.
    /// </summary>
    /// <param name="rows">Rows of the block, 1 to 8.</param>
    /// <returns>The rows of the first group (1 to 4) and of the second (0 to 4).</returns>
    public static (int First, int Second) GroupRows(int rows) => (Math.Min(rows, 4), Math.Max(rows - 4, 0));
}
