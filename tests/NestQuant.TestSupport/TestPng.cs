using System.Buffers.Binary;
using System.IO.Compression;

namespace NestQuant.TestSupport;

/// <summary>Encodes small pictures, so that no test depends on the decoder's own encoder.</summary>
public static class TestPng
{
    /// <summary>An 8-bit RGB picture whose pixels a function of x and y gives.</summary>
    public static byte[] Rgb(int width, int height, Func<int, int, (byte Red, byte Green, byte Blue)> pixel)
    {
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (int y = 0; y < height; y++)
            {
                zlib.WriteByte(0);
                for (int x = 0; x < width; x++)
                {
                    (byte red, byte green, byte blue) = pixel(x, y);
                    zlib.Write([red, green, blue]);
                }
            }
        }

        return File(Header(width, height, depth: 8, colour: 2, interlace: 0), Chunk("IDAT"u8, compressed.ToArray()), Chunk("IEND"u8, []));
    }

    /// <summary>A picture of any form whose data is that many zeros, in <paramref name="parts"/> chunks.</summary>
    public static byte[] Zeros(int width, int height, byte depth, byte colour, byte interlace, long length, int parts = 1)
    {
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            byte[] zeros = new byte[1 << 16];
            for (long left = length; left > 0; left -= zeros.Length)
                zlib.Write(zeros, 0, (int)Math.Min(left, zeros.Length));
        }

        byte[] data = compressed.ToArray();
        IEnumerable<byte[]> chunks = data.Chunk((data.Length + parts - 1) / parts).Select(part => Chunk("IDAT"u8, part));
        byte[] palette = colour == 3 ? Chunk("PLTE"u8, new byte[768]) : [];
        return File([Header(width, height, depth, colour, interlace), palette, .. chunks, Chunk("IEND"u8, [])]);
    }

    /// <summary>The signature and some chunks.</summary>
    public static byte[] File(params byte[][] chunks) => [0x89, .. "PNG\r\n"u8, 0x1A, (byte)'\n', .. chunks.SelectMany(chunk => chunk)];

    /// <summary>The chunk that comes first.</summary>
    public static byte[] Header(int width, int height, byte depth, byte colour, byte interlace)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = (depth, colour, interlace);
        return Chunk("IHDR"u8, header);
    }

    /// <summary>A chunk with its length and checksum.</summary>
    public static byte[] Chunk(ReadOnlySpan<byte> type, byte[] content)
    {
        byte[] body = [.. type, .. content];
        byte[] chunk = new byte[body.Length + 8];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        body.CopyTo(chunk.AsSpan(4));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(body.Length + 4), Crc32(body));
        return chunk;
    }

    private static uint Crc32(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (uint)-(int)(crc & 1));
        }

        return ~crc;
    }
}
