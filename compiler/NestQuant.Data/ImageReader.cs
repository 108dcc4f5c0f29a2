using NestQuant.Data.Pictures;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using StbImageSharp;

namespace NestQuant.Data;

/// <summary>Decodes one PNG or JPEG picture, scales it and normalises it.</summary>
internal static class ImageReader
{
    /// <summary>Fills <paramref name="target"/> with [channels, height, width] floats <c>(pixel / 255 - mean) / deviation</c>.</summary>
    /// <exception cref="ModelException">The file is missing or not a picture.</exception>
    public static void Read(string path, ImageOptions options, Span<float> target)
    {
        ImageResult image = Decode(path, options.Channels);
        int plane = options.Height * options.Width;
        for (int channel = 0; channel < options.Channels; channel++)
        {
            int offset = channel;
            Span<float> result = target.Slice(channel * plane, plane);
            BilinearResize.Resize(
                (y, line) => ReadLine(image, y, offset, line), image.Height, image.Width, result, options.Height, options.Width);
            options.Normalise(result, channel);
        }
    }

    private static void ReadLine(ImageResult image, int y, int channel, Span<float> line)
    {
        int channels = (int)image.Comp;
        ReadOnlySpan<byte> bytes = image.Data.AsSpan(y * image.Width * channels, image.Width * channels);
        for (int x = 0; x < line.Length; x++)
            line[x] = bytes[(x * channels) + channel] / 255f;
    }

    private static ImageResult Decode(string path, int channels)
    {
        byte[] bytes = InputFile.ReadAll(path);
        try
        {
            // The decoder reads more formats and trusts headers, so only files that have been checked are passed to it.
            if (bytes.AsSpan().StartsWith(PngStructure.Signature))
                PngStructure.Verify(bytes);
            else if (bytes.AsSpan().StartsWith(JpegStructure.Signature))
                JpegStructure.Verify(bytes);
            else
                throw new ModelException($"{path}: not a PNG or JPEG picture");
            using var stream = new MemoryStream(bytes, writable: false);
            return ImageResult.FromStream(stream, channels == 1 ? ColorComponents.Grey : ColorComponents.RedGreenBlue);
        }
        catch (Exception e) when (e is not (OutOfMemoryException or ModelException))
        {
            throw new ModelException($"{path}: the picture cannot be decoded: {e.Message}", e);
        }
    }
}
