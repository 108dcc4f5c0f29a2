using static System.FormattableString;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>The byte layout of the two operands (high and low) of one nested weight; docs/operand-format.md describes it exactly.</summary>
/// <remarks>
/// Output channels are grouped in panels of <see cref="PanelChannels"/>; inside a panel the reduction index is
/// k = tap * Inner + inner, in blocks of 8 rows, each stored as dense bit planes. There is no padding along k. Besides h/8 and (l+1)/8
/// bytes per weight, an operand has only the channels that complete the last panel and, since version 2, an <see cref="OperandTrailer"/>.
/// </remarks>
public sealed record NestedLayout
{
    /// <summary>The version that is written; all versions from 1 are read.</summary>
    public const int CurrentVersion = 2;

    /// <summary>Output channels per panel.</summary>
    public const int PanelChannels = 32;

    /// <summary>Rows of k in one block of bit planes.</summary>
    internal const int BlockRows = 8;

    /// <summary>Values in a full block.</summary>
    internal const int BlockValues = BlockRows * PanelChannels;

    /// <summary>Describes the operands of a weight.</summary>
    /// <param name="bits">The pair n:h.</param>
    /// <param name="view">The weight's dimensions.</param>
    /// <param name="version">1: panels alone; 2: panels and a trailer.</param>
    /// <exception cref="ArgumentException">A dimension is not positive, or the number of output channels, of weights per channel
    /// or of operand bytes does not fit, or the version is unknown.</exception>
    public NestedLayout(NestedBits bits, ChannelView view, long version = CurrentVersion)
    {
        if (version is < 1 or > CurrentVersion)
            throw new ArgumentException(Invariant($"layout_version is {version}: this library reads versions 1 to {CurrentVersion}"));
        if (bits.Full == 0)
            throw new ArgumentException("the bit widths are not set");
        if (view.Groups < 1 || view.Inner < 1 || view.Channels < 1 || view.Taps < 1)
            throw new ArgumentException(
                Invariant($"the channel view [{view.Groups}, {view.Inner}, {view.Channels}, {view.Taps}] has a dimension below 1"));
        long channels = (long)view.Groups * view.Channels;
        long perChannel = (long)view.Inner * view.Taps;
        if (channels > int.MaxValue - PanelChannels || perChannel > int.MaxValue / PanelChannels - BlockRows)
            throw new ArgumentException(
                Invariant($"the channel view [{view.Groups}, {view.Inner}, {view.Channels}, {view.Taps}] is too large for one operand"));

        Bits = bits;
        View = view;
        Version = (int)version;
        Panels = (int)((channels + PanelChannels - 1) / PanelChannels);
    }

    /// <summary>The pair n:h.</summary>
    public NestedBits Bits { get; }

    /// <summary>The weight's dimensions.</summary>
    public ChannelView View { get; }

    /// <summary>The layout's version, stored by operators as the attribute <c>layout_version</c>.</summary>
    public int Version { get; }

    /// <summary>Whether the operands end with an <see cref="OperandTrailer"/>.</summary>
    public bool HasTrailer => Version >= 2;

    /// <summary>Number of panels: the output channels divided by 32, rounded up.</summary>
    public int Panels { get; }

    /// <summary>Bytes of the high operand, its trailer included.</summary>
    public long HighByteLength => ByteLength(OperandRole.High);

    /// <summary>Bytes of the low operand, its trailer included.</summary>
    public long LowByteLength => ByteLength(OperandRole.Low);

    /// <summary>Bytes of one panel of the high operand.</summary>
    public long HighPanelBytes => PanelBytes(Bits.High);

    /// <summary>Bytes of one panel of the low operand.</summary>
    public long LowPanelBytes => PanelBytes(Bits.LowWidth);

    /// <summary>Bytes of an operand, its trailer included.</summary>
    public long ByteLength(OperandRole role) =>
        HasTrailer ? RoundUp(PanelsLength(role), OperandTrailer.Alignment) + OperandTrailer.Length : PanelsLength(role);

    /// <summary>Bytes of an operand's panels.</summary>
    internal long PanelsLength(OperandRole role) => Panels * (role == OperandRole.High ? HighPanelBytes : LowPanelBytes);

    /// <summary>The channels of a panel that exist in the weight: 32, or fewer in the last panel.</summary>
    internal int ChannelsOf(int panel) => Math.Min(PanelChannels, View.OutputChannels - panel * PanelChannels);

    private static long RoundUp(long length, int multiple) => (length + multiple - 1) / multiple * multiple;

    private long PanelBytes(int width) => (long)View.WeightsPerChannel * (PanelChannels / 8) * width;
}
