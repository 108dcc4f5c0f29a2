using System.Buffers.Binary;
using System.Security.Cryptography;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Tests.Packing;

/// <summary>docs/operand-format.md written down bit by bit, with no regard for speed: the second opinion on the packer.</summary>
internal static class DocumentedFormat
{
    /// <summary>
    /// All operands of layout version 4 where the last panel has at most 24 channels, else of 2, or of 3 for more than two levels.
    /// </summary>
    public static byte[][] Pack(NestedBits bits, ChannelView view, sbyte[][] values)
    {
        int[] levels = [.. bits.Levels];
        int version = view.Groups * view.Channels % 32 is > 0 and <= 24 ? 4 : levels.Length > 2 ? 3 : 2;
        byte[][] panels =
        [
            .. values.Select((of, step) => Panels(
                view, of, step == 0 ? levels[^1] : levels[^(step + 1)] - levels[^step] + 1, isNarrow: version == 4)),
        ];
        int[] meaning =
            [version, .. version >= 3 ? [levels.Length] : (int[])[], .. levels, view.Groups, view.Inner, view.Channels, view.Taps];
        byte[] header = new byte[4 * meaning.Length];
        for (int i = 0; i < meaning.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4 * i), meaning[i]);
        byte[] tag = SHA256.HashData([.. header, .. panels.SelectMany(static bytes => bytes)])[..8];
        return [.. panels.Select((bytes, step) => WithTrailer(
            bytes, version, step == 0 ? 'H' : 'L', version >= 3 && step > 0 ? levels[^(step + 1)] : 0, tag))];
    }

    /// <summary>One operand of layout version 1, all of one of version 2 but its trailer.</summary>
    public static byte[] Panels(ChannelView view, sbyte[] values, int width, bool isNarrow = false)
    {
        int outputChannels = view.Groups * view.Channels;
        int reduction = view.Inner * view.Taps;
        List<byte> bytes = [];
        for (int firstChannel = 0; firstChannel < outputChannels; firstChannel += 32)
        {
            int stored = isNarrow ? Math.Min(32, (outputChannels - firstChannel + 7) / 8 * 8) : 32;
            for (int firstRow = 0; firstRow < reduction; firstRow += 8)
            {
                List<int> codes = [];
                for (int group = firstRow; group < Math.Min(firstRow + 8, reduction); group += 4)
                {
                    for (int m = firstChannel; m < firstChannel + stored; m++)
                    {
                        for (int k = group; k < Math.Min(group + 4, reduction); k++)
                            codes.Add((m < outputChannels ? Element(view, values, m, k) : 0) + (1 << (width - 1)));
                    }
                }

                bytes.AddRange(Planes([.. codes], width));
            }
        }

        return [.. bytes];
    }

    private static byte[] WithTrailer(byte[] panels, int version, char role, int level, byte[] tag) =>
        [.. panels, .. new byte[(16 - panels.Length % 16) % 16], .. "NQOP"u8, (byte)version, (byte)role, (byte)level, 0, .. tag];

    private static int Element(ChannelView view, sbyte[] values, int m, int k)
    {
        int group = m / view.Channels;
        int channel = m % view.Channels;
        int tap = k / view.Inner;
        int inner = k % view.Inner;
        return values[((group * view.Inner + inner) * view.Channels + channel) * view.Taps + tap];
    }

    private static IEnumerable<byte> Planes(int[] codes, int width)
    {
        int position = 0;
        foreach (int w in new[] { 4, 2, 1 })
        {
            if ((width & w) == 0)
                continue;
            byte[] plane = new byte[codes.Length * w / 8];
            for (int value = 0; value < codes.Length; value++)
                plane[value % plane.Length] |= (byte)(((codes[value] >> position) & ((1 << w) - 1)) << (value / plane.Length * w));
            position += w;
            foreach (byte b in plane)
                yield return b;
        }
    }
}
