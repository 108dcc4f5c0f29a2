using NestQuant.Compiler.Onnx;
using StbImageSharp;

namespace NestQuant.Compiler.Data;

/// <summary>Decodes one PNG or JPEG picture, scales it and normalises it.</summary>
internal static class ImageReader
{
    // A picture is decoded whole; beyond this many pixels a file is taken for hostile rather than for a sample.
    private const long MaxPixels = 1 << 27;

    /// <summary>Fills <paramref name="target"/> with [channels, height, width] floats <c>(pixel / 255 - mean) / deviation</c>.</summary>
    /// <exception cref="ModelException">The file is missing or not a picture.</exception>
    public static void Read(string path, ImageOptions options, Span<float> target)
    {
        ImageResult image = Decode(path, options.Channels);
        float[] planes = new float[checked(image.Width * image.Height)];
        int plane = options.Height * options.Width;
        for (int channel = 0; channel < options.Channels; channel++)
        {
            for (int i = 0; i < planes.Length; i++)
                planes[i] = image.Data[(i * options.Channels) + channel] / 255f;
            Span<float> result = target.Slice(channel * plane, plane);
            BilinearResize.Resize(planes, image.Height, image.Width, result, options.Height, options.Width);
            float mean = options.Mean[options.Mean.Count == 1 ? 0 : channel];
            float deviation = options.Deviation[options.Deviation.Count == 1 ? 0 : channel];
            for (int i = 0; i < result.Length; i++)
                result[i] = (result[i] - mean) / deviation;
        }
    }

    private static ImageResult Decode(string path, int channels)
    {
        byte[] bytes = InputFile.ReadAll(path);
        // The decoder knows more formats than it decodes safely; only the two promised ones reach it.
        bool known = bytes.AsSpan().StartsWith<byte>([0x89, (byte)'P', (byte)'N', (byte)'G']) || bytes.AsSpan().StartsWith<byte>([0xFF, 0xD8, 0xFF]);
        if (!known)
            throw new ModelException($"{path}: not a PNG or JPEG picture");
        try
        {
            using var stream = new MemoryStream(bytes, writable: false);
            ImageInfo info = ImageInfo.FromStream(stream) ?? throw new InvalidDataException("no header");
            if ((long)info.Width * info.Height > MaxPixels)
                throw new InvalidDataException($"{info.Width} x {info.Height} pixels are too many");
            stream.Position = 0;
            return ImageResult.FromStream(stream, channels == 1 ? ColorComponents.Grey : ColorComponents.RedGreenBlue);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new ModelException($"{path}: damaged picture: {e.Message}", e);
        }
    }
}
