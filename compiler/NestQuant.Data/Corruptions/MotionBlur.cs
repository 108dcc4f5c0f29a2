namespace NestQuant.Data.Corruptions;

/// <summary>Smears along a random direction within 45 degrees of the horizontal: a moving camera.</summary>
internal sealed class MotionBlur() : Corruption("motion_blur")
{
    private const double MaxAngle = 45;

    private static readonly SeverityTable<(int Radius, double Sigma)> Trail = new(
        ImageNet: [(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)],
        TinyImageNet: [(10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)],
        Cifar: [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        (int radius, double sigma) = Trail.For(image, severity);
        double angle = random.Uniform(-MaxAngle, MaxAngle);
        for (int channel = 0; channel < image.Channels; channel++)
            Smear(image.Plane(channel), image.Width, radius, sigma, angle);
    }

    /// <summary>Blurs a plane along one direction with half of a normal kernel, as ImageMagick's motion blur does.</summary>
    /// <param name="plane">[height, width], replaced.</param>
    /// <param name="width">Columns.</param>
    /// <param name="radius">The trail has 2 * radius + 1 pixels, all on one side.</param>
    /// <param name="sigma">Deviation of the kernel in pixels.</param>
    /// <param name="angle">Degrees from the positive column axis towards growing rows.</param>
    internal static void Smear(Span<float> plane, int width, int radius, double sigma, double angle)
    {
        double[] kernel = GaussianBlur.Kernel(sigma, 2 * radius)[(2 * radius)..];
        double sum = kernel.Sum();
        (double sin, double cos) = Math.SinCos(angle * Math.PI / 180);
        float[] source = plane.ToArray();
        int height = source.Length / width;
        plane.Clear();
        for (int i = 0; i < kernel.Length; i++)
        {
            int dx = (int)Math.Ceiling((i * cos) - 0.5);
            int dy = (int)Math.Ceiling((i * sin) - 0.5);
            float weight = (float)(kernel[i] / sum);
            for (int y = 0; y < height; y++)
            {
                int row = Math.Clamp(y + dy, 0, height - 1) * width;
                for (int x = 0; x < width; x++)
                    plane[(y * width) + x] += weight * source[row + Math.Clamp(x + dx, 0, width - 1)];
            }
        }
    }
}
