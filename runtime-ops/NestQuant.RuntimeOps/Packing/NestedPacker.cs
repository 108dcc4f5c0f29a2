using static System.FormattableString;


namespace NestQuant.RuntimeOps.Packing;

/// <summary>Writes and reads the packed operands of a nested weight (see <see cref="NestedLayout"/>).</summary>
internal static class NestedPacker
{
    /// <summary>Packs a whole weight, the trailers of its operands included.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="high">w_high, row-major <c>[Groups, Inner, Channels, Taps]</c>, values in [-2^(h-1), 2^(h-1) - 1].</param>
    /// <param name="low">w_low in the same order, values in [-2^l, 2^l - 1].</param>
    /// <param name="highBytes">Receives <see cref="NestedLayout.HighByteLength"/> bytes.</param>
    /// <param name="lowBytes">Receives <see cref="NestedLayout.LowByteLength"/> bytes.</param>
    /// <exception cref="ArgumentException">A length does not match the layout, or a value is out of range.</exception>
    public static void Pack(
        NestedLayout layout, ReadOnlySpan<sbyte> high, ReadOnlySpan<sbyte> low, Span<byte> highBytes, Span<byte> lowBytes)
    {
        ArgumentNullException.ThrowIfNull(layout);
        PackPanels(layout, 0, layout.Panels, high, low, highBytes, lowBytes);
        if (layout.HasTrailer)
            Seal(layout, highBytes, lowBytes);
    }

    /// <summary>
    /// Packs a range of panels of a weight; ranges that do not overlap may be packed at the same time. <see cref="Seal"/> completes the
    /// weight.
    /// </summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="firstPanel">First panel to pack.</param>
    /// <param name="panelCount">Number of panels to pack.</param>
    /// <param name="high">The whole w_high, as for <see cref="Pack"/>.</param>
    /// <param name="low">The whole w_low, as for <see cref="Pack"/>.</param>
    /// <param name="highBytes">The whole high operand, of which only these panels are written.</param>
    /// <param name="lowBytes">The whole low operand, of which only these panels are written.</param>
    /// <exception cref="ArgumentException">A length does not match the layout, or a value is out of range.</exception>
    public static void PackPanels(
        NestedLayout layout, int firstPanel, int panelCount, ReadOnlySpan<sbyte> high, ReadOnlySpan<sbyte> low, Span<byte> highBytes,
        Span<byte> lowBytes)
    {
        Check(layout, firstPanel, panelCount, high.Length, low.Length, highBytes.Length, lowBytes.Length);
        for (int panel = firstPanel; panel < firstPanel + panelCount; panel++)
        {
            PanelCodec.Pack(layout, panel, high, layout.Bits.High, PanelOf(highBytes, panel, layout.HighPanelBytes), "high");
            PanelCodec.Pack(layout, panel, low, layout.Bits.LowWidth, PanelOf(lowBytes, panel, layout.LowPanelBytes), "low");
        }
    }

    /// <summary>Writes the trailers of two operands whose panels are all packed.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="highBytes">The whole high operand.</param>
    /// <param name="lowBytes">The whole low operand.</param>
    /// <returns>The tag of the weight, for the nodes that read it.</returns>
    /// <exception cref="ArgumentException">A length does not match the layout, or its version has no trailers.</exception>
    public static WeightTag Seal(NestedLayout layout, Span<byte> highBytes, Span<byte> lowBytes)
    {
        WeightTag tag = WeightTag.Of(layout, highBytes, lowBytes);
        OperandTrailer.Write(layout, OperandRole.High, tag, highBytes);
        OperandTrailer.Write(layout, OperandRole.Low, tag, lowBytes);
        return tag;
    }

    /// <summary>Unpacks a whole weight; the inverse of <see cref="Pack"/>.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="highBytes">The high operand, <see cref="NestedLayout.HighByteLength"/> bytes.</param>
    /// <param name="lowBytes">The low operand, <see cref="NestedLayout.LowByteLength"/> bytes.</param>
    /// <param name="high">Receives w_high, row-major <c>[Groups, Inner, Channels, Taps]</c>.</param>
    /// <param name="low">Receives w_low in the same order.</param>
    /// <exception cref="ArgumentException">A length does not match the layout.</exception>
    public static void Unpack(
        NestedLayout layout, ReadOnlySpan<byte> highBytes, ReadOnlySpan<byte> lowBytes, Span<sbyte> high, Span<sbyte> low)
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
        NestedLayout layout, int firstPanel, int panelCount, ReadOnlySpan<byte> highBytes, ReadOnlySpan<byte> lowBytes, Span<sbyte> high,
        Span<sbyte> low)
    {
        Check(layout, firstPanel, panelCount, high.Length, low.Length, highBytes.Length, lowBytes.Length);
        for (int panel = firstPanel; panel < firstPanel + panelCount; panel++)
        {
            PanelCodec.Unpack(layout, panel, PanelOf(highBytes, panel, layout.HighPanelBytes), layout.Bits.High, high);
            PanelCodec.Unpack(layout, panel, PanelOf(lowBytes, panel, layout.LowPanelBytes), layout.Bits.LowWidth, low);
        }
    }

    private static Span<byte> PanelOf(Span<byte> operand, int panel, long panelBytes) =>
        operand.Slice((int)(panel * panelBytes), (int)panelBytes);

    private static ReadOnlySpan<byte> PanelOf(ReadOnlySpan<byte> operand, int panel, long panelBytes) =>
        operand.Slice((int)(panel * panelBytes), (int)panelBytes);

    private static void Check(NestedLayout layout, int firstPanel, int panelCount, int high, int low, int highBytes, int lowBytes)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegative(firstPanel);
        ArgumentOutOfRangeException.ThrowIfNegative(panelCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(panelCount, layout.Panels - firstPanel);
        CheckLength("high values", high, layout.View.Count);
        CheckLength("low values", low, layout.View.Count);
        CheckByteLengths(layout, highBytes, lowBytes);
    }

    /// <summary>Checks that two operands have the lengths that their layout gives.</summary>
    internal static void CheckByteLengths(NestedLayout layout, int highBytes, int lowBytes)
    {
        CheckLength("high bytes", highBytes, layout.HighByteLength);
        CheckLength("low bytes", lowBytes, layout.LowByteLength);
    }

    private static void CheckLength(string what, int actual, long expected)
    {
        if (actual != expected)
            throw new ArgumentException(Invariant($"{actual} {what} given, the layout needs {expected}"));
    }
}
