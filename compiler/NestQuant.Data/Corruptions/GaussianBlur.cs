namespace NestQuant.Data.Corruptions;

/// <summary>Blurs with a normal kernel.</summary>
internal sealed class GaussianBlur() : Corruption("gaussian_blur")
{
    // The kernel ends at this many deviations, as in the release's library.
    private const double Reach = 4;

    private static readonly SeverityTable<double> Sigma = new(
        ImageNet: [1, 2, 3, 4, 6],
        TinyImageNet: [0.5, 0.75, 1, 1.25, 1.5],
        Cifar: [0.4, 0.6, 0.7, 0.8, 1]);

    internal override void Distort(PixelImage image, int severity, RandomStream random) => Blur(image, Sigma.For(image, severity));

    /// <summary>Blurs every channel; pixels beyond the border equal the nearest one inside.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="sigma">Deviation of the kernel in pixels.</param>
    internal static void Blur(PixelImage image, double sigma)
    {
        double[] kernel = Kernel(sigma, (int)((Reach * sigma) + 0.5));
        var between = new float[image.Area];
        for (int channel = 0; channel < image.Channels; channel++)
        {
            Span<float> plane = image.Plane(channel);
            BlurRows(plane, between, image.Width, kernel);
            BlurColumns(between, plane, image.Width, kernel);
        }
    }

    /// <summary>A sampled normal density over [-radius, radius] that sums to 1.</summary>
    internal static double[] Kernel(double sigma, int radius)
    {
        var kernel = new double[(2 * radius) + 1];
        for (int i = 0; i < kernel.Length; i++)
            kernel[i] = Math.Exp(-(i - radius) * (double)(i - radius) / (2 * sigma * sigma));
        double sum = kernel.Sum();
        return Array.ConvertAll(kernel, weight => weight / sum);
    }

    private static void BlurRows(ReadOnlySpan<float> source, Span<float> target, int width, double[] kernel)
    {
        int radius = kernel.Length / 2;
        for (int start = 0; start < source.Length; start += width)
        {
            for (int x = 0; x < width; x++)
            {
                double sum = 0;
                for (int i = 0; i < kernel.Length; i++)
                    sum += kernel[i] * source[start + Math.Clamp(x + i - radius, 0, width - 1)];
                target[start + x] = (float)sum;
            }
        }
    }

    private static void BlurColumns(ReadOnlySpan<float> source, Span<float> target, int width, double[] kernel)
    {
        int radius = kernel.Length / 2;
        int height = source.Length / width;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                double sum = 0;
                for (int i = 0; i < kernel.Length; i++)
                    sum += kernel[i] * source[(Math.Clamp(y + i - radius, 0, height - 1) * width) + x];
                target[(y * width) + x] = (float)sum;
            }
        }
    }
}
