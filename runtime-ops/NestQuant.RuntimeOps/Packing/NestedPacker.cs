using static System.FormattableString;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>Writes and reads the packed operands of a nested weight (see <see cref="NestedLayout"/>).</summary>
/// <remarks>
/// Operands are numbered by their steps: 0 is the high operand with the integers of the lowest level, w_high, in [-2^(h-1), 2^(h-1) - 1];
/// the low operand of a step from 1 on holds w_low, in [-2^l, 2^l - 1]. All values are row-major <c>[Groups, Inner, Channels, Taps]</c>.
/// </remarks>
internal static class NestedPacker
{
    /// <summary>Packs a whole weight, the trailers of its operands included.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="values">The values of every operand.</param>
    /// <param name="operands">Receive <see cref="NestedLayout.ByteLength"/> bytes each.</param>
    /// <exception cref="ArgumentException">A length does not match the layout, or a value is out of range.</exception>
    public static void Pack(NestedLayout layout, ReadOnlySpan<sbyte[]> values, ReadOnlySpan<byte[]> operands)
    {
        ArgumentNullException.ThrowIfNull(layout);
        CheckCount("arrays of values", values.Length, layout);
        CheckCount("operands", operands.Length, layout);
        for (int step = 0; step < values.Length; step++)
            PackPanels(layout, step, 0, layout.Panels, values[step], operands[step]);
        if (layout.HasTrailer)
            Seal(layout, operands);
    }

    /// <summary>
    /// Packs a range of panels of an operand; ranges that do not overlap may be packed at the same time. <see cref="Seal"/> completes the
    /// weight.
    /// </summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="step">Which operand.</param>
    /// <param name="firstPanel">First panel to pack.</param>
    /// <param name="panelCount">Number of panels to pack.</param>
    /// <param name="values">All values of the operand.</param>
    /// <param name="operand">The whole operand, of which only these panels are written.</param>
    /// <exception cref="ArgumentException">A length does not match the layout, or a value is out of range.</exception>
    public static void PackPanels(
        NestedLayout layout, int step, int firstPanel, int panelCount, ReadOnlySpan<sbyte> values, Span<byte> operand)
    {
        Check(layout, step, firstPanel, panelCount, values.Length, operand.Length);
        for (int panel = firstPanel; panel < firstPanel + panelCount; panel++)
            PanelCodec.Pack(layout, panel, step, values, operand[layout.PanelRange(step, panel)]);
    }

    /// <summary>Writes the trailers of operands whose panels are all packed.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="operands">All operands as a whole.</param>
    /// <returns>The tag of the weight, for the nodes that read it.</returns>
    /// <exception cref="ArgumentException">A length does not match the layout, or its version has no trailers.</exception>
    public static WeightTag Seal(NestedLayout layout, params ReadOnlySpan<byte[]> operands)
    {
        ReadOnlyMemory<byte>[] content = new ReadOnlyMemory<byte>[operands.Length];
        for (int step = 0; step < content.Length; step++)
            content[step] = operands[step];
        WeightTag tag = WeightTag.Of(layout, content);
        for (int step = 0; step < operands.Length; step++)
            OperandTrailer.Write(layout, step, tag, operands[step]);
        return tag;
    }

    /// <summary>Unpacks the first operands of a weight, or all of them; the inverse of <see cref="Pack"/>.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="operands">The operands, <see cref="NestedLayout.ByteLength"/> bytes each.</param>
    /// <returns>The values of each of them.</returns>
    /// <exception cref="ArgumentException">A length does not match the layout, or there are too many operands.</exception>
    public static sbyte[][] Unpack(NestedLayout layout, params ReadOnlySpan<ReadOnlyMemory<byte>> operands)
    {
        ArgumentNullException.ThrowIfNull(layout);
        sbyte[][] values = new sbyte[operands.Length][];
        for (int step = 0; step < operands.Length; step++)
        {
            values[step] = new sbyte[layout.View.Count];
            UnpackPanels(layout, step, 0, layout.Panels, operands[step].Span, values[step]);
        }

        return values;
    }

    /// <summary>Unpacks a range of panels of an operand; ranges that do not overlap may be unpacked at the same time.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="step">Which operand.</param>
    /// <param name="firstPanel">First panel to unpack.</param>
    /// <param name="panelCount">Number of panels to unpack.</param>
    /// <param name="operand">The whole operand.</param>
    /// <param name="values">All values, of which only the channels of these panels are written.</param>
    /// <exception cref="ArgumentException">A length does not match the layout.</exception>
    public static void UnpackPanels(
        NestedLayout layout, int step, int firstPanel, int panelCount, ReadOnlySpan<byte> operand, Span<sbyte> values)
    {
        Check(layout, step, firstPanel, panelCount, values.Length, operand.Length);
        for (int panel = firstPanel; panel < firstPanel + panelCount; panel++)
            PanelCodec.Unpack(layout, panel, operand[layout.PanelRange(step, panel)], layout.Bits.WidthOfStep(step), values);
    }

    /// <summary>Checks that an operand has the length that its layout gives.</summary>
    internal static void CheckByteLength(NestedLayout layout, int step, int length) =>
        CheckLength(step == 0 ? "high bytes" : "low bytes", length, layout.ByteLength(step));

    /// <summary>Checks that there is one of something for every operand.</summary>
    internal static void CheckCount(string what, int count, NestedLayout layout) => CheckLength(what, count, layout.Bits.Count);

    private static void Check(NestedLayout layout, int step, int firstPanel, int panelCount, int values, int bytes)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, layout.Bits.Count);
        ArgumentOutOfRangeException.ThrowIfNegative(firstPanel);
        ArgumentOutOfRangeException.ThrowIfNegative(panelCount);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(panelCount, layout.Panels - firstPanel);
        CheckLength(step == 0 ? "high values" : "low values", values, layout.View.Count);
        CheckByteLength(layout, step, bytes);
    }

    private static void CheckLength(string what, int actual, long expected)
    {
        if (actual != expected)
            throw new ArgumentException(Invariant($"{actual} {what} given, the layout needs {expected}"));
    }
}
