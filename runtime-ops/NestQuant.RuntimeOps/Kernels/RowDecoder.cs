using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>Decodes one output channel of a panel, which is one row of a table, and leaves the other 31 alone.</summary>
/// <remarks>
/// The 8 values that a full block has of a channel lie in 4 consecutive bytes of each sub-plane: those of the first k-group in one field of
/// the low half of each byte, those of the second group in the same field of the high half (docs/operand-format.md).
/// </remarks>
internal static unsafe class RowDecoder
{
    private const int Blocks = 4;

    /// <summary>Rebuilds 2^(n-b) * w_b of the channel at level b, modulo 256 as signed bytes.</summary>
    /// <param name="panel">The operands from the panel on.</param>
    /// <param name="channel">The channel, 0 to 31.</param>
    /// <param name="length">Weights per channel, K.</param>
    /// <param name="values">Receives K values in the order of k.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void Decode(in LevelOperands panel, int channel, int length, sbyte* values)
    {
        // In bounds: a panel has 4 * width bytes of each operand for each of its K rows; full blocks come first, a shorter one may follow.
        (int blocks, int rows) = Math.DivRem(length, NestedLayout.BlockRows);
        NestedBits bits = panel.Bits;
        byte* total = (byte*)values;
        new Span<byte>(total, length).Fill(unchecked((byte)-BlockValues.Offset(bits, panel.Steps)));
        for (int step = 0; step <= panel.Steps; step++)
        {
            int width = bits.WidthOfStep(step), position = bits.Full - bits.LevelOfStep(step), stride = NestedLayout.PanelChannels * width;
            byte* plane = panel[step];
            byte* lastPlane = plane + (long)blocks * stride;
            for (int fieldWidth = 4; fieldWidth > 0; fieldWidth >>= 1)
            {
                if ((width & fieldWidth) == 0)
                    continue;
                AddBlocks(plane, stride, blocks, channel, fieldWidth, position, total);
                AddRows(lastPlane, rows, channel, fieldWidth, position, total + (long)blocks * NestedLayout.BlockRows);
                plane += NestedLayout.PanelChannels * fieldWidth;
                lastPlane += NestedLayout.PanelChannels / 8 * rows * fieldWidth;
                position += fieldWidth;
            }
        }
    }

    /// <summary>Adds a sub-plane of full blocks.</summary>
    /// <param name="plane">The sub-plane of the first block.</param>
    /// <param name="stride">Bytes from one block to the next.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="channel">The channel.</param>
    /// <param name="fieldWidth">Bits of a field: 4, 2 or 1.</param>
    /// <param name="position">The bit of the value where the field belongs; position + fieldWidth is at most 8.</param>
    /// <param name="total">The sums, 8 bytes per block.</param>
    [MethodImpl(MethodCompilation.Loops)]
    private static void AddBlocks(byte* plane, int stride, int blocks, int channel, int fieldWidth, int position, byte* total)
    {
        // Channels share a word: word number channel % words, in the field number channel / words, of which each half of a byte has
        // 4 / fieldWidth. No field crosses a half, so shifts of whole words carry nothing that the mask keeps from one byte into another.
        (int field, int word) = Math.DivRem(channel, NestedLayout.BlockRows * fieldWidth);
        int down = field * fieldWidth;
        ulong mask = ((1UL << fieldWidth) - 1) * 0x0101_0101_0101_0101;
        plane += word * sizeof(uint);
        int block = 0;
        for (; block <= blocks - Blocks; block += Blocks, plane += Blocks * (nint)stride)
        {
            Vector256<ulong> words = Vector256.WidenLower(Vector128.Create(
                *(uint*)plane, *(uint*)(plane + stride), *(uint*)(plane + 2 * (nint)stride), *(uint*)(plane + 3 * (nint)stride))
                .ToVector256Unsafe());
            Vector256<byte> values = ((((words | (words << 28)) >>> down) & Vector256.Create(mask)) << position).AsByte();
            byte* target = total + (long)block * NestedLayout.BlockRows;
            (Vector256.Load(target) + values).Store(target);
        }

        for (; block < blocks; block++, plane += stride)
        {
            ulong words = *(uint*)plane;
            Vector128<byte> values = Vector128.CreateScalar((((words | (words << 28)) >>> down) & mask) << position).AsByte();
            ulong* target = (ulong*)(total + (long)block * NestedLayout.BlockRows);
            *target = (Vector128.CreateScalar(*target).AsByte() + values).AsUInt64().ToScalar();
        }
    }

    /// <summary>Adds a sub-plane of the last block, which has 0 to 7 rows.</summary>
    private static void AddRows(byte* plane, int rows, int channel, int fieldWidth, int position, byte* total)
    {
        (int first, int second) = PanelOrder.GroupRows(rows);
        int bytes = NestedLayout.PanelChannels / 8 * rows * fieldWidth, mask = (1 << fieldWidth) - 1;
        for (int row = 0; row < rows; row++)
        {
            int value = row < first
                ? channel * first + row
                : NestedLayout.PanelChannels * first + channel * second + (row - first);
            (int field, int at) = Math.DivRem(value, bytes);
            total[row] += (byte)(((plane[at] >> (field * fieldWidth)) & mask) << position);
        }
    }
}
