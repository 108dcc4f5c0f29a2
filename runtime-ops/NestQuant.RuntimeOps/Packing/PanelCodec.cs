using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Packing;

/// <summary>Packs, unpacks and widens one panel of one operand, block by block.</summary>
internal static unsafe class PanelCodec
{
    /// <summary>Packs a panel.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="step">The operand: 0 for the high one, or the step of a low one.</param>
    /// <param name="source">The whole weight's values of this operand, row-major, as many as the layout's view counts.</param>
    /// <param name="planes">The panel's bytes, all overwritten.</param>
    /// <exception cref="ArgumentException">A value does not fit in the operand's width.</exception>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Pack(NestedLayout layout, int panel, int step, ReadOnlySpan<sbyte> source, Span<byte> planes)
    {
        int width = layout.Bits.WidthOfStep(step);
        int channels = layout.StoredChannelsOf(panel);
        PanelOrder order = new(layout, panel, stackalloc long[NestedLayout.PanelChannels]);
        Span<byte> block = stackalloc byte[NestedLayout.BlockValues];
        Span<long> rowOffsets = stackalloc long[NestedLayout.BlockRows];
        Vector256<byte> offset = Vector256.Create((byte)(1 << (width - 1)));
        Vector256<byte> seen = Vector256<byte>.Zero;
        fixed (sbyte* values = source)
        {
            for (int k = 0; k < layout.View.WeightsPerChannel; k += NestedLayout.BlockRows)
            {
                int rows = Math.Min(NestedLayout.BlockRows, layout.View.WeightsPerChannel - k);
                Span<byte> filled = block[..(rows * channels)];
                if (order.Channels < NestedLayout.PanelChannels)
                    block.Clear();
                if (rows == NestedLayout.BlockRows && order.IsContiguousInK)
                {
                    GatherContiguous(order, (byte*)values, k, filled, channels);
                }
                else
                {
                    order.RowOffsets(k, rowOffsets[..rows]);
                    Gather(order, (byte*)values, rowOffsets[..rows], filled, channels);
                }

                // Whole vectors: what follows a narrow block is zero.
                for (int i = 0; i < filled.Length; i += Vector256<byte>.Count)
                {
                    Vector256<byte> codes = Vector256.Create(block.Slice(i, Vector256<byte>.Count)) + offset;
                    codes.CopyTo(block[i..]);
                    seen |= codes;
                }

                int length = rows * width * (channels / 8);
                BitPlanes.Encode(filled, width, planes[..length]);
                planes = planes[length..];
            }
        }

        // Adding 2^(width-1) maps exactly the values in range to those below 2^width, so one OR of all bits checks all values.
        if ((seen & Vector256.Create((byte)(0xFF << width))) != Vector256<byte>.Zero)
        {
            int end = 1 << (width - 1);
            string operand = step == 0 ? "high" : "low";
            throw new ArgumentException(
                Invariant($"a {operand} value of panel {panel} is outside [{-end}, {end - 1}], the range of {width} bits"));
        }
    }

    /// <summary>Unpacks a panel; the inverse of <see cref="Pack"/>.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="panel">Index of the panel.</param>
    /// <param name="planes">The panel's bytes.</param>
    /// <param name="width">Bits of a value.</param>
    /// <param name="target">The whole weight's values of this operand, of which this panel's channels are written.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Unpack(NestedLayout layout, int panel, ReadOnlySpan<byte> planes, int width, Span<sbyte> target)
    {
        int channels = layout.StoredChannelsOf(panel);
        PanelOrder order = new(layout, panel, stackalloc long[NestedLayout.PanelChannels]);
        Span<byte> block = stackalloc byte[NestedLayout.BlockValues];
        Span<long> rowOffsets = stackalloc long[NestedLayout.BlockRows];
        Vector256<byte> offset = Vector256.Create((byte)(1 << (width - 1)));
        fixed (sbyte* values = target)
        {
            for (int k = 0; k < layout.View.WeightsPerChannel; k += NestedLayout.BlockRows)
            {
                int rows = Math.Min(NestedLayout.BlockRows, layout.View.WeightsPerChannel - k);
                Span<byte> filled = block[..(rows * channels)];
                int length = rows * width * (channels / 8);
                BitPlanes.Decode(planes[..length], width, filled);
                planes = planes[length..];
                for (int i = 0; i < filled.Length; i += Vector256<byte>.Count)
                    (Vector256.Create(block.Slice(i, Vector256<byte>.Count)) - offset).CopyTo(block[i..]);

                order.RowOffsets(k, rowOffsets[..rows]);
                Scatter(order, filled, rowOffsets[..rows], (byte*)values, channels);
            }
        }
    }

    /// <summary>Completes the last panel of an operand with channels of zeros to 32, the form that kernels read.</summary>
    /// <param name="layout">The weight's layout.</param>
    /// <param name="step">The operand.</param>
    /// <param name="planes">The panel's bytes.</param>
    /// <param name="wide">Receives <see cref="NestedLayout.PanelBytes(int)"/> bytes.</param>
    public static void Widen(NestedLayout layout, int step, ReadOnlySpan<byte> planes, Span<byte> wide)
    {
        int width = layout.Bits.WidthOfStep(step), channels = layout.StoredChannelsOf(layout.Panels - 1);
        Span<byte> narrowBlock = stackalloc byte[NestedLayout.BlockValues], block = stackalloc byte[NestedLayout.BlockValues];
        block.Fill((byte)(1 << (width - 1)));
        for (int k = 0; k < layout.View.WeightsPerChannel; k += NestedLayout.BlockRows)
        {
            int rows = Math.Min(NestedLayout.BlockRows, layout.View.WeightsPerChannel - k);
            int first = PanelOrder.GroupRows(rows).First * channels, all = rows * channels;
            int length = all * width / 8, wideLength = rows * NestedLayout.PanelChannels * width / 8;
            BitPlanes.Decode(planes[..length], width, narrowBlock[..all]);
            narrowBlock[..first].CopyTo(block);
            narrowBlock[first..all].CopyTo(block[(first / channels * NestedLayout.PanelChannels)..]);
            BitPlanes.Encode(block[..(rows * NestedLayout.PanelChannels)], width, wide[..wideLength]);
            planes = planes[length..];
            wide = wide[wideLength..];
        }
    }

    private static void GatherContiguous(in PanelOrder order, byte* source, int k, Span<byte> block, int channels)
    {
        // In bounds: 8 rows of k exist from here on, and a channel's K values are consecutive.
        Span<uint> words = MemoryMarshal.Cast<byte, uint>(block);
        for (int c = 0; c < order.Channels; c++)
        {
            byte* rows = source + order.ChannelStart(c) + k;
            words[c] = Unsafe.ReadUnaligned<uint>(rows);
            words[channels + c] = Unsafe.ReadUnaligned<uint>(rows + 4);
        }
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void Gather(in PanelOrder order, byte* source, ReadOnlySpan<long> rowOffsets, Span<byte> block, int channels)
    {
        // In bounds: channel start + row offset is the index of an element of the weight, for every channel and row of the panel;
        // the block holds a value per row for every channel that the panel is stored with.
        fixed (byte* values = block)
        fixed (long* offsets = rowOffsets)
        {
            for (int group = 0; group < rowOffsets.Length; group += 4)
            {
                int rows = Math.Min(4, rowOffsets.Length - group);
                byte* target = values + group * channels;
                for (int c = 0; c < order.Channels; c++)
                {
                    byte* channel = source + order.ChannelStart(c);
                    for (int row = 0; row < rows; row++)
                        *target++ = channel[offsets[group + row]];
                }
            }
        }
    }

    [MethodImpl(MethodCompilation.Loops)]
    private static void Scatter(in PanelOrder order, ReadOnlySpan<byte> block, ReadOnlySpan<long> rowOffsets, byte* target, int channels)
    {
        // In bounds: as in Gather.
        fixed (byte* values = block)
        fixed (long* offsets = rowOffsets)
        {
            for (int group = 0; group < rowOffsets.Length; group += 4)
            {
                int rows = Math.Min(4, rowOffsets.Length - group);
                byte* source = values + group * channels;
                for (int c = 0; c < order.Channels; c++)
                {
                    byte* channel = target + order.ChannelStart(c);
                    for (int row = 0; row < rows; row++)
                        channel[offsets[group + row]] = *source++;
                }
            }
        }
    }
}
