using System.Buffers.Binary;

namespace NestQuant.Data.Pictures;

/// <summary>
/// Checks a JPEG file before it is passed to a decoder that trusts it: segments end inside the file, the picture is not too large, and it
/// does not make the decoder pass over all pixels again and again.
/// </summary>
internal static class JpegStructure
{
    private const byte BaselineFrame = 0xC0, ExtendedFrame = 0xC1, ProgressiveFrame = 0xC2, LastFrame = 0xCF;
    private const byte HuffmanTables = 0xC4, ReservedFrame = 0xC8, ArithmeticConditioning = 0xCC;
    private const byte EndOfImage = 0xD9, StartOfScan = 0xDA;

    /// <summary>Encoders write about ten; the format can make use of a few hundred at most.</summary>
    private const int MaxProgressiveScans = 100;

    /// <summary>First bytes of every JPEG file.</summary>
    public static ReadOnlySpan<byte> Signature => [0xFF, 0xD8, 0xFF];

    /// <summary>Checks a file that starts with the signature.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or takes too much memory or time to decode.</exception>
    public static void Verify(ReadOnlySpan<byte> file)
    {
        int? most = null;
        int scans = 0;
        for (ReadOnlySpan<byte> rest = file[2..]; ;)
        {
            byte marker = NextMarker(ref rest);
            if (marker == EndOfImage)
                break;
            if (rest.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(rest) is var length && (length < 2 || length > rest.Length))
                throw new InvalidDataException("it is truncated");
            if (IsFrame(marker))
                most = most is null
                    ? VerifyFrame(marker, rest[2..length], file.Length)
                    : throw new InvalidDataException("it has two frames");
            if (marker == StartOfScan && ++scans > (most ?? 0))
                throw new InvalidDataException("it has more scans than its pixels need");
            rest = rest[length..];
        }

        if (scans == 0)
            throw new InvalidDataException("it has no pixels");
    }

    /// <summary>Moves past the next marker, which starts with one or more 0xFF that are not part of compressed data.</summary>
    private static byte NextMarker(ref ReadOnlySpan<byte> rest)
    {
        while (rest.IndexOf((byte)0xFF) is >= 0 and var position && position + 1 < rest.Length)
        {
            byte marker = rest[position + 1];
            rest = rest[(position + (marker == 0xFF ? 1 : 2))..];
            if (marker is not (0 or 0xFF or (>= 0xD0 and <= 0xD7)))
                return marker;
        }

        throw new InvalidDataException("it is truncated");
    }

    private static bool IsFrame(byte marker) =>
        marker is >= BaselineFrame and <= LastFrame and not (HuffmanTables or ReservedFrame or ArithmeticConditioning);

    /// <summary>Checks a frame header.</summary>
    /// <returns>The scans that the picture may have.</returns>
    private static int VerifyFrame(byte marker, ReadOnlySpan<byte> frame, long fileBytes)
    {
        if (marker is not (BaselineFrame or ExtendedFrame or ProgressiveFrame))
            throw new InvalidDataException("only baseline and progressive JPEG can be decoded");
        if (frame.Length < 6 || frame.Length != 6 + (3 * frame[5]))
            throw new InvalidDataException("its frame header has another length");
        int height = BinaryPrimitives.ReadUInt16BigEndian(frame[1..]), width = BinaryPrimitives.ReadUInt16BigEndian(frame[3..]);
        int components = frame[5];
        bool isProgressive = marker == ProgressiveFrame;
        // Samples, the RGB pixels made from them and progressive coefficients of two bytes are in memory at once; then the RGB is copied
        // once.
        long pixels = (long)width * height, samples = Samples(width, height, frame[6..]);
        new DecodingBudget(fileBytes).Verify(width, height, Math.Max((isProgressive ? 3 * samples : samples) + (3 * pixels), 6 * pixels));
        return isProgressive ? MaxProgressiveScans : components;
    }

    /// <summary>Samples of all components, whose extents are multiples of 8 by their sampling factors.</summary>
    private static long Samples(int width, int height, ReadOnlySpan<byte> components)
    {
        int horizontal = 1, vertical = 1;
        long factors = 0;
        for (int i = 1; i < components.Length; i += 3)
        {
            (int x, int y) = (components[i] >> 4, components[i] & 15);
            if (x is < 1 or > 4 || y is < 1 or > 4)
                throw new InvalidDataException($"there is no sampling factor {components[i]:X2}");
            (horizontal, vertical, factors) = (Math.Max(horizontal, x), Math.Max(vertical, y), factors + (x * y));
        }

        long columns = (width + (8 * horizontal) - 1) / (8 * horizontal), rows = (height + (8 * vertical) - 1) / (8 * vertical);
        return 64 * columns * rows * factors;
    }
}
