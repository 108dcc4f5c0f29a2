namespace NestQuant.Data.Corruptions;

/// <summary>
/// The loss of baseline JPEG (ITU-T T.81), without writing files: colours to YCbCr, chroma halved in both directions, quantized cosine
/// coefficients of 8 x 8 blocks. Entropy coding loses nothing and is left out.
/// </summary>
internal sealed class JpegCompression() : Corruption("jpeg_compression")
{
    private const int Unit = 16;

    private static readonly SeverityTable<int> Quality = new(
        ImageNet: [25, 18, 15, 10, 7],
        TinyImageNet: [65, 58, 50, 40, 25],
        Cifar: [80, 65, 58, 50, 40]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        int quality = Quality.For(image, severity);
        int height = (image.Height + Unit - 1) / Unit * Unit;
        int width = (image.Width + Unit - 1) / Unit * Unit;
        float[][] planes = [.. Enumerable.Range(0, image.Channels).Select(channel => Padded(image, channel, height, width))];
        if (planes.Length == 1)
        {
            JpegBlocks.Quantize(planes[0], width, JpegBlocks.Luminance(quality));
        }
        else
        {
            ToYcc(planes);
            JpegBlocks.Quantize(planes[0], width, JpegBlocks.Luminance(quality));
            planes[1] = Chroma(planes[1], height, width, quality);
            planes[2] = Chroma(planes[2], height, width, quality);
            ToRgb(planes);
        }

        for (int channel = 0; channel < planes.Length; channel++)
        {
            Span<float> plane = image.Plane(channel);
            for (int i = 0; i < plane.Length; i++)
                plane[i] = Byte(planes[channel][(i / image.Width * width) + (i % image.Width)]) / 255;
        }
    }

    // Whole blocks of values 0 to 255; border pixels are repeated, as encoders do.
    private static float[] Padded(PixelImage image, int channel, int height, int width)
    {
        Span<float> plane = image.Plane(channel);
        var padded = new float[height * width];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<float> row = plane.Slice(Math.Min(y, image.Height - 1) * image.Width, image.Width);
            for (int x = 0; x < width; x++)
                padded[(y * width) + x] = Byte(row[Math.Min(x, image.Width - 1)] * 255);
        }

        return padded;
    }

    private static float[] Chroma(float[] plane, int height, int width, int quality)
    {
        int half = width / 2;
        var small = new float[plane.Length / 4];
        for (int i = 0; i < small.Length; i++)
        {
            int corner = (i / half * 2 * width) + (i % half * 2);
            small[i] = Byte((plane[corner] + plane[corner + 1] + plane[corner + width] + plane[corner + width + 1]) / 4);
        }

        JpegBlocks.Quantize(small, half, JpegBlocks.Chrominance(quality));
        // Linear interpolation between chroma centres: the 3:1 weights of the usual decoders.
        BilinearResize.Resize((y, line) => small.AsSpan(y * half, half).CopyTo(line), height / 2, half, plane, height, width);
        return plane;
    }

    private static void ToYcc(float[][] planes)
    {
        for (int i = 0; i < planes[0].Length; i++)
        {
            (float red, float green, float blue) = (planes[0][i], planes[1][i], planes[2][i]);
            planes[0][i] = Byte((0.299f * red) + (0.587f * green) + (0.114f * blue));
            planes[1][i] = Byte((-0.168736f * red) - (0.331264f * green) + (0.5f * blue) + 128);
            planes[2][i] = Byte((0.5f * red) - (0.418688f * green) - (0.081312f * blue) + 128);
        }
    }

    private static void ToRgb(float[][] planes)
    {
        for (int i = 0; i < planes[0].Length; i++)
        {
            (float luma, float blueness, float redness) = (planes[0][i], planes[1][i] - 128, planes[2][i] - 128);
            planes[0][i] = luma + (1.402f * redness);
            planes[1][i] = luma - (0.344136f * blueness) - (0.714136f * redness);
            planes[2][i] = luma + (1.772f * blueness);
        }
    }

    private static float Byte(float value) => Math.Clamp(MathF.Round(value), 0, 255);
}
