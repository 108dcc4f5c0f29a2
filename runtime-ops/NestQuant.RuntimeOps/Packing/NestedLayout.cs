using static System.FormattableString;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>
/// The byte layout of the operands of one nested weight, the high one and a low one per step; docs/operand-format.md describes it exactly.
/// </summary>
/// <remarks>
/// Output channels are grouped in panels of <see cref="PanelChannels"/>; inside a panel the reduction index is
/// k = tap * Inner + inner, in blocks of 8 rows, each stored as dense bit planes. There is no padding along k. Besides h/8 or (l+1)/8
/// bytes per weight, an operand has only the channels that complete the last panel, to a multiple of 8 since version 4 and to 32 before,
/// and, since version 2, an <see cref="OperandTrailer"/>.
/// </remarks>
public sealed record NestedLayout
{
    /// <summary>The newest version; all versions from 1 are read.</summary>
    public const int NewestVersion = 4;

    /// <summary>Output channels per panel.</summary>
    public const int PanelChannels = 32;

    /// <summary>The channels of a last panel are completed to a multiple of this, so that a bit of each fills whole bytes.</summary>
    private const int ChannelMultiple = 8;

    /// <summary>The first version whose last panel has only the channels that it needs.</summary>
    private const int NarrowVersion = 4;

    /// <summary>Rows of k in one block of bit planes.</summary>
    internal const int BlockRows = 8;

    /// <summary>Values in a full block.</summary>
    internal const int BlockValues = BlockRows * PanelChannels;

    /// <summary>Describes the operands of a weight in the version that is written.</summary>
    /// <param name="bits">The levels.</param>
    /// <param name="view">The weight's dimensions.</param>
    /// <exception cref="ArgumentException">A dimension is not positive, or the number of output channels, of weights per channel
    /// or of operand bytes does not fit.</exception>
    public NestedLayout(NestedBits bits, ChannelView view)
        : this(bits, view, NarrowVersion)
    {
        // The versions differ in nothing else, and older readers know these.
        if (!HasNarrowPanel) Version = bits.Count > 2 ? 3 : 2;
    }

    /// <summary>Describes the operands of a weight.</summary>
    /// <param name="bits">The levels.</param>
    /// <param name="view">The weight's dimensions.</param>
    /// <param name="version">
    /// 1: panels alone; 2: panels and a trailer; 3: the same for more than two levels; 4: a last panel of few channels is narrower.
    /// </param>
    /// <exception cref="ArgumentException">A dimension is not positive, or the number of output channels, of weights per channel
    /// or of operand bytes does not fit, or the version is unknown or not one of so many levels.</exception>
    public NestedLayout(NestedBits bits, ChannelView view, long version)
    {
        if (version is < 1 or > NewestVersion)
            throw new ArgumentException(Invariant($"layout_version is {version}: this library reads versions 1 to {NewestVersion}"));
        if (bits.Full == 0)
            throw new ArgumentException("the bit widths are not set");
        if (version < NarrowVersion && version == 3 != bits.Count > 2)
            throw new ArgumentException(
                Invariant($"layout_version is {version}: the levels {bits} need version {(bits.Count > 2 ? "3 or 4" : "1, 2 or 4")}"));
        if (view.Groups < 1 || view.Inner < 1 || view.Channels < 1 || view.Taps < 1)
            throw new ArgumentException(
                Invariant($"the channel view [{view.Groups}, {view.Inner}, {view.Channels}, {view.Taps}] has a dimension below 1"));
        if (!Fits(view))
            throw new ArgumentException(
                Invariant($"the channel view [{view.Groups}, {view.Inner}, {view.Channels}, {view.Taps}] is too large for one operand"));

        Bits = bits;
        View = view;
        Version = (int)version;
        Panels = (view.OutputChannels + PanelChannels - 1) / PanelChannels;
    }

    /// <summary>Whether an operand can have so many channels, and so many weights in each.</summary>
    internal static bool Fits(ChannelView view) =>
        (long)view.Groups * view.Channels <= int.MaxValue - PanelChannels
            && (long)view.Inner * view.Taps <= int.MaxValue / PanelChannels - BlockRows;

    /// <summary>The levels.</summary>
    public NestedBits Bits { get; }

    /// <summary>The weight's dimensions.</summary>
    public ChannelView View { get; }

    /// <summary>The layout's version, stored by operators as the attribute <c>layout_version</c>.</summary>
    public int Version { get; }

    /// <summary>Whether the operands end with an <see cref="OperandTrailer"/>.</summary>
    public bool HasTrailer => Version >= 2;

    /// <summary>Whether the last panel has fewer than 32 channels.</summary>
    internal bool HasNarrowPanel => StoredChannelsOf(Panels - 1) < PanelChannels;

    /// <summary>Number of panels: the output channels divided by 32, rounded up.</summary>
    public int Panels { get; }

    /// <summary>Bytes of the high operand, its trailer included.</summary>
    public long HighByteLength => ByteLength(0);

    /// <summary>Bytes of the low operand of the first step, the only one of two levels, its trailer included.</summary>
    public long LowByteLength => ByteLength(1);

    /// <summary>Bytes of an operand, its trailer included.</summary>
    /// <param name="step">0 for the high operand, or the step, from 1, whose low operand it is.</param>
    public long ByteLength(int step) =>
        HasTrailer ? RoundUp(PanelsLength(step), OperandTrailer.Alignment) + OperandTrailer.Length : PanelsLength(step);

    /// <summary>Bytes of one panel of an operand that has all 32 channels.</summary>
    /// <param name="step">As for <see cref="ByteLength"/>.</param>
    public long PanelBytes(int step) => PanelBytes(step, PanelChannels);

    /// <summary>Bytes of an operand's panels.</summary>
    internal long PanelsLength(int step) => (Panels - 1) * PanelBytes(step) + PanelBytes(step, StoredChannelsOf(Panels - 1));

    /// <summary>Where a panel lies in an operand.</summary>
    internal Range PanelRange(int step, int panel)
    {
        int start = (int)(panel * PanelBytes(step));
        return start..(start + (int)PanelBytes(step, StoredChannelsOf(panel)));
    }

    /// <summary>The channels that a panel is stored with: those that exist, completed with zeros.</summary>
    internal int StoredChannelsOf(int panel) =>
        Version < NarrowVersion ? PanelChannels : (int)RoundUp(ChannelsOf(panel), ChannelMultiple);

    /// <summary>The channels of a panel that exist in the weight: 32, or fewer in the last panel.</summary>
    internal int ChannelsOf(int panel) => Math.Min(PanelChannels, View.OutputChannels - panel * PanelChannels);

    private long PanelBytes(int step, int channels) => View.WeightsPerChannel * (long)(channels / 8 * Bits.WidthOfStep(step));

    private static long RoundUp(long length, int multiple) => (length + multiple - 1) / multiple * multiple;
}
