using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Tests.Packing;

/// <summary>docs/operand-format.md written down bit by bit, with no regard for speed: the second opinion on the packer.</summary>
internal static class DocumentedFormat
{
    public static byte[] Pack(ChannelView view, sbyte[] values, int width)
    {
        int outputChannels = view.Groups * view.Channels;
        int reduction = view.Inner * view.Taps;
        List<byte> bytes = [];
        for (int firstChannel = 0; firstChannel < outputChannels; firstChannel += 32)
        {
            for (int firstRow = 0; firstRow < reduction; firstRow += 8)
            {
                List<int> codes = [];
                for (int group = firstRow; group < Math.Min(firstRow + 8, reduction); group += 4)
                {
                    for (int m = firstChannel; m < firstChannel + 32; m++)
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
