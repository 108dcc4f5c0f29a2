using System.Globalization;
using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>Writes and reads the packed operands of a nested weight (see <see cref="NestedLayout"/>).</summary>
public static class NestedPacker
{
    /// <summary>Packs a whole weight.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="high">w_high, row-major <c>[Groups, Inner, Channels, Taps]</c>, values in [-2^(h-1), 2^(h-1) - 1].</param>
    /// <param name="low">w_low in the same order, values in [-2^l, 2^l - 1].</param>
    /// <param name="highBytes">Receives <see cref="NestedLayout.HighByteLength"/> bytes.</param>
    /// <param name="lowBytes">Receives <see cref="NestedLayout.LowByteLength"/> bytes.</param>
    /// <exception cref="ArgumentException">A length does not match the layout, or a value is out of range.</exception>
    public static void Pack(NestedLayout layout, ReadOnlySpan<sbyte> high, ReadOnlySpan<sbyte> low, Span<byte> highBytes, Span<byte> lowBytes)
    {
        ArgumentNullException.ThrowIfNull(layout);
        PackPanels(layout, 0, layout.Panels, high, low, highBytes, lowBytes);
    }

    /// <summary>Packs a range of panels of a weight; ranges that do not overlap may be packed at the same time.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="firstPanel">First panel to pack.</param>
    /// <param name="panelCount">Number of panels to pack.</param>
    /// <param name="high">The whole w_high, as for <see cref="Pack"/>.</param>
    /// <param name="low">The whole w_low, as for <see cref="Pack"/>.</param>
    /// <param name="highBytes">The whole high operand, of which only these panels are written.</param>
    /// <param name="lowBytes">The whole low operand, of which only these panels are written.</param>
    /// <exception cref="ArgumentException">A length does not match the layout, or a value is out of range.</exception>
    public static void PackPanels(
        NestedLayout layout, int firstPanel, int panelCount, ReadOnlySpan<sbyte> high, ReadOnlySpan<sbyte> low, Span<byte> highBytes, Span<byte> lowBytes)
    {
        Check(layout, firstPanel, panelCount, high.Length, low.Length, highBytes.Length, lowBytes.Length);
        for (int panel = firstPanel; panel < firstPanel + panelCount; panel++)
        {
            PackPanel(layout, panel, high, layout.Bits.High, PanelOf(highBytes, panel, layout.HighPanelBytes), "high");
            PackPanel(layout, panel, low, layout.Bits.LowWidth, PanelOf(lowBytes, panel, layout.LowPanelBytes), "low");
        }
    }

    /// <summary>Unpacks a whole weight; the inverse of <see cref="Pack"/>.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="highBytes">The high operand, <see cref="NestedLayout.HighByteLength"/> bytes.</param>
    /// <param name="lowBytes">The low operand, <see cref="NestedLayout.LowByteLength"/> bytes.</param>
    /// <param name="high">Receives w_high, row-major <c>[Groups, Inner, Channels, Taps]</c>.</param>
    /// <param name="low">Receives w_low in the same order.</param>
    /// <exception cref="ArgumentException">A length does not match the layout.</exception>
    public static void Unpack(NestedLayout layout, ReadOnlySpan<byte> highBytes, ReadOnlySpan<byte> lowBytes, Span<sbyte> high, Span<sbyte> low)
    {
        ArgumentNullException.ThrowIfNull(layout);
        UnpackPanels(layout, 0, layout.Panels, highBytes, lowBytes, high, low);
    }

    /// <summary>Unpacks a range of panels of a weight; ranges that do not overlap may be unpacked at the same time.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="firstPanel">First panel to unpack.</param>
    /// <param name="panelCount">Number of panels to unpack.</param>
    /// <param name="highBytes">The whole high operand.</param>
    /// <param name="lowBytes">The whole low operand.</param>
    /// <param name="high">The whole w_high, of which only the channels of these panels are written.</param>
    /// <param name="low">The whole w_low, of which only the channels of these panels are written.</param>
    /// <exception cref="ArgumentException">A length does not match the layout.</exception>
    public static void UnpackPanels(
        NestedLayout layout, int firstPanel, int panelCount, ReadOnlySpan<byte> highBytes, ReadOnlySpan<byte> lowBytes, Span<sbyte> high, Span<sbyte> low)
    {
        Check(layout, firstPanel, panelCount, high.Length, low.Length, highBytes.Length, lowBytes.Length);
        for (int panel = firstPanel; panel < firstPanel + panelCount; panel++)
        {
            UnpackPanel(layout, panel, PanelOf(highBytes, panel, layout.HighPanelBytes), layout.Bits.High, high);
            UnpackPanel(layout, panel, PanelOf(lowBytes, panel, layout.LowPanelBytes), layout.Bits.LowWidth, low);
        }
    }

    private static void PackPanel(NestedLayout layout, int panel, ReadOnlySpan<sbyte> source, int width, Span<byte> planes, string operand)
    {
        PanelOrder order = new(layout, panel, stackalloc long[NestedLayout.PanelChannels]);
        Span<byte> block = stackalloc byte[NestedLayout.BlockValues];
        Span<long> rowOffsets = stackalloc long[NestedLayout.BlockRows];
        ReadOnlySpan<byte> values = MemoryMarshal.AsBytes(source);
        byte offset = (byte)(1 << (width - 1));
        byte seen = 0;
        for (int k = 0; k < layout.View.WeightsPerChannel; k += NestedLayout.BlockRows)
        {
            int rows = Math.Min(NestedLayout.BlockRows, layout.View.WeightsPerChannel - k);
            Span<byte> filled = block[..(rows * NestedLayout.PanelChannels)];
            if (order.Channels < NestedLayout.PanelChannels)
                filled.Clear();
            if (rows == NestedLayout.BlockRows && order.IsContiguousInK)
            {
                GatherContiguous(order, values, k, filled);
            }
            else
            {
                order.RowOffsets(k, rowOffsets[..rows]);
                Gather(order, values, rowOffsets[..rows], filled);
            }

            for (int i = 0; i < filled.Length; i++)
            {
                filled[i] += offset;
                seen |= filled[i];
            }

            int length = rows * width * (NestedLayout.PanelChannels / 8);
            BitPlanes.Encode(filled, width, planes[..length]);
            planes = planes[length..];
        }

        // Adding 2^(width-1) maps exactly the values in range to those below 2^width, so one look at all bits checks them all.
        if (seen >> width != 0)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"a {operand} value of panel {panel} is outside [{-offset}, {offset - 1}], the range of {width} bits"));
    }

    private static void GatherContiguous(in PanelOrder order, ReadOnlySpan<byte> source, int k, Span<byte> block)
    {
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(block);
        for (int c = 0; c < order.Channels; c++)
        {
            ReadOnlySpan<uint> rows = MemoryMarshal.Cast<byte, uint>(source.Slice((int)order.ChannelStart(c) + k, NestedLayout.BlockRows));
            words[c] = rows[0];
            words[NestedLayout.PanelChannels + c] = rows[1];
        }
    }

    private static void Gather(in PanelOrder order, ReadOnlySpan<byte> source, ReadOnlySpan<long> rowOffsets, Span<byte> block)
    {
        (int first, int second) = PanelOrder.GroupRows(rowOffsets.Length);
        Span<byte> secondGroup = block[(first * NestedLayout.PanelChannels)..];
        for (int c = 0; c < order.Channels; c++)
        {
            ReadOnlySpan<byte> channel = source[(int)order.ChannelStart(c)..];
            for (int row = 0; row < first; row++)
                block[c * first + row] = channel[(int)rowOffsets[row]];
            for (int row = 0; row < second; row++)
                secondGroup[c * second + row] = channel[(int)rowOffsets[first + row]];
        }
    }

    private static void UnpackPanel(NestedLayout layout, int panel, ReadOnlySpan<byte> planes, int width, Span<sbyte> target)
    {
        PanelOrder order = new(layout, panel, stackalloc long[NestedLayout.PanelChannels]);
        Span<byte> block = stackalloc byte[NestedLayout.BlockValues];
        Span<long> rowOffsets = stackalloc long[NestedLayout.BlockRows];
        int offset = 1 << (width - 1);
        for (int k = 0; k < layout.View.WeightsPerChannel; k += NestedLayout.BlockRows)
        {
            int rows = Math.Min(NestedLayout.BlockRows, layout.View.WeightsPerChannel - k);
            Span<byte> filled = block[..(rows * NestedLayout.PanelChannels)];
            int length = rows * width * (NestedLayout.PanelChannels / 8);
            BitPlanes.Decode(planes[..length], width, filled);
            planes = planes[length..];

            order.RowOffsets(k, rowOffsets[..rows]);
            (int first, int second) = PanelOrder.GroupRows(rows);
            Span<byte> secondGroup = filled[(first * NestedLayout.PanelChannels)..];
            for (int c = 0; c < order.Channels; c++)
            {
                Span<sbyte> channel = target[(int)order.ChannelStart(c)..];
                for (int row = 0; row < first; row++)
                    channel[(int)rowOffsets[row]] = (sbyte)(filled[c * first + row] - offset);
                for (int row = 0; row < second; row++)
                    channel[(int)rowOffsets[first + row]] = (sbyte)(secondGroup[c * second + row] - offset);
            }
        }
    }

    private static Span<byte> PanelOf(Span<byte> operand, int panel, long panelBytes) => operand.Slice((int)(panel * panelBytes), (int)panelBytes);

    private static ReadOnlySpan<byte> PanelOf(ReadOnlySpan<byte> operand, int panel, long panelBytes) => operand.Slice((int)(panel * panelBytes), (int)panelBytes);

    private static void Check(NestedLayout layout, int firstPanel, int panelCount, int high, int low, int highBytes, int lowBytes)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegative(firstPanel);
        ArgumentOutOfRangeException.ThrowIfNegative(panelCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(panelCount, layout.Panels - firstPanel);
        CheckLength("high values", high, layout.View.Count);
        CheckLength("low values", low, layout.View.Count);
        CheckLength("high bytes", highBytes, layout.HighByteLength);
        CheckLength("low bytes", lowBytes, layout.LowByteLength);
    }

    private static void CheckLength(string what, int actual, long expected)
    {
        if (actual != expected)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{actual} {what} given, the layout needs {expected}"));
    }
}
