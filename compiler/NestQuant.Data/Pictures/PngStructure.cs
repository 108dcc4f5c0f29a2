using System.Buffers.Binary;
using System.IO.Compression;

namespace NestQuant.Data.Pictures;

/// <summary>
/// Checks that a PNG file matches its header before it is passed to a decoder that trusts it: chunks end inside the file, the picture is
/// not too large, and its data inflates to exactly the bytes of its pixels.
/// </summary>
internal static class PngStructure
{
    private const int ChunkOverhead = 12;
    private const int HeaderLength = 13;

    /// <summary>First bytes of every PNG file.</summary>
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1A, (byte)'\n'];

    /// <summary>Checks a file that starts with the signature.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or takes too much memory to decode.</exception>
    public static void Verify(ReadOnlySpan<byte> file)
    {
        Header? header = null;
        using var compressed = new MemoryStream();
        for (ReadOnlySpan<byte> rest = file[Signature.Length..]; ;)
        {
            ReadOnlySpan<byte> content = Next(ref rest, out ReadOnlySpan<byte> type);
            if (type.SequenceEqual("IHDR"u8) && header is null)
                Verify(header = Header.Read(content), file.Length);
            else if (header is null)
                throw new InvalidDataException("it does not start with a header");
            else if (type.SequenceEqual("IDAT"u8))
                compressed.Write(content);
            else if (type.SequenceEqual("IEND"u8))
                break;
            else if (IsCritical(type) && !type.SequenceEqual("PLTE"u8))
                throw new InvalidDataException("it has parts that PNG does not define");
        }

        compressed.Position = 0;
        VerifyPixels(compressed, header.InflatedBytes);
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> type)
    {
        if (rest.Length < ChunkOverhead || BinaryPrimitives.ReadUInt32BigEndian(rest) > (uint)(rest.Length - ChunkOverhead))
            throw new InvalidDataException("it is truncated");
        int length = BinaryPrimitives.ReadInt32BigEndian(rest);
        type = rest.Slice(4, 4);
        ReadOnlySpan<byte> content = rest.Slice(8, length);
        rest = rest[(length + ChunkOverhead)..];
        return content;
    }

    /// <summary>A decoder may skip an unknown chunk only when its type starts with a lower-case letter.</summary>
    private static bool IsCritical(ReadOnlySpan<byte> type) => (type[0] & 0x20) == 0;

    private static void Verify(Header header, long fileBytes)
    {
        // The inflated bytes and the stored pixels are in memory at once; so are the stored pixels and their conversion to 8-bit RGB.
        long pixels = header.Width * header.Height;
        long inflated = header.IsInterlaced ? 2 * header.InflatedBytes : header.InflatedBytes;
        new DecodingBudget(fileBytes)
            .Verify(header.Width, header.Height, Math.Max(inflated, 3 * pixels) + (4 * pixels * (header.Depth > 8 ? 2 : 1)));
    }

    private static void VerifyPixels(Stream compressed, long expected)
    {
        using var inflated = new ZLibStream(compressed, CompressionMode.Decompress);
        byte[] buffer = new byte[1 << 16];
        long length = 0;
        for (int got; length <= expected && (got = inflated.Read(buffer)) > 0;)
            length += got;
        if (length != expected)
            throw new InvalidDataException(length < expected ? "it is truncated" : "it holds more data than its pixels take");
    }

    /// <summary>The header's description of the pixels.</summary>
    private sealed record Header(long Width, long Height, int Depth, int Channels, bool IsInterlaced)
    {
        /// <summary>Bytes of the lines of all passes, each with a filter byte.</summary>
        public long InflatedBytes => IsInterlaced
            ? Pass(0, 8, 0, 8) + Pass(4, 8, 0, 8) + Pass(0, 4, 4, 8) + Pass(2, 4, 0, 4)
                + Pass(0, 2, 2, 4) + Pass(1, 2, 0, 2) + Pass(0, 1, 1, 2)
            : Pass(0, 1, 0, 1);

        public static Header Read(ReadOnlySpan<byte> content)
        {
            if (content.Length != HeaderLength)
                throw new InvalidDataException("its header has another length");
            int channels = content[9] switch
            {
                0 or 3 => 1,
                2 => 3,
                4 => 2,
                6 => 4,
                _ => throw new InvalidDataException($"there is no colour type {content[9]}"),
            };
            if (content[8] is not (1 or 2 or 4 or 8 or 16))
                throw new InvalidDataException($"there are no {content[8]}-bit samples");
            return new Header(
                BinaryPrimitives.ReadUInt32BigEndian(content),
                BinaryPrimitives.ReadUInt32BigEndian(content[4..]),
                content[8], channels, content[12] != 0);
        }

        /// <summary>Bytes of every <paramref name="xStep"/>-th pixel of every <paramref name="yStep"/>-th line.</summary>
        private long Pass(int x, int xStep, int y, int yStep)
        {
            long columns = (Width - x + xStep - 1) / xStep, lines = (Height - y + yStep - 1) / yStep;
            return columns < 1 || lines < 1 ? 0 : lines * (1 + (((columns * Channels * Depth) + 7) / 8));
        }
    }
}
