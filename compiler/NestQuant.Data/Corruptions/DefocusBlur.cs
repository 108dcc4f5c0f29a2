namespace NestQuant.Data.Corruptions;

/// <summary>Blurs with a disk, as a lens out of focus does.</summary>
internal sealed class DefocusBlur() : Corruption("defocus_blur")
{
    private static readonly SeverityTable<(double Radius, double Smoothing)> Disk = new(
        ImageNet: [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)],
        TinyImageNet: [(0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)],
        Cifar: [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        (double radius, double smoothing) = Disk.For(image, severity);
        (int Y, int X, double Weight)[] taps = Taps(radius, smoothing);
        for (int channel = 0; channel < image.Channels; channel++)
        {
            Span<float> plane = image.Plane(channel);
            float[] source = plane.ToArray();
            for (int y = 0; y < image.Height; y++)
            {
                for (int x = 0; x < image.Width; x++)
                {
                    double sum = 0;
                    foreach ((int dy, int dx, double weight) in taps)
                        sum += weight * source[(Reflect(y + dy, image.Height) * image.Width) + Reflect(x + dx, image.Width)];
                    plane[(y * image.Width) + x] = (float)sum;
                }
            }
        }
    }

    // The disk's pixels, smoothed by a small normal blur; the weights sum to 1.
    private static (int Y, int X, double Weight)[] Taps(double radius, double smoothing)
    {
        double[] smooth = GaussianBlur.Kernel(smoothing, radius <= 8 ? 1 : 2);
        int margin = smooth.Length / 2;
        int extent = (int)radius + margin;
        var taps = new List<(int Y, int X, double Weight)>();
        for (int y = -extent; y <= extent; y++)
        {
            for (int x = -extent; x <= extent; x++)
            {
                double weight = 0;
                for (int i = -margin; i <= margin; i++)
                {
                    for (int j = -margin; j <= margin; j++)
                        weight += ((y + i) * (y + i)) + ((x + j) * (x + j)) <= radius * radius
                            ? smooth[i + margin] * smooth[j + margin]
                            : 0;
                }

                if (weight > 0)
                    taps.Add((y, x, weight));
            }
        }

        double sum = taps.Sum(tap => tap.Weight);
        return [.. taps.Select(tap => tap with { Weight = tap.Weight / sum })];
    }

    // Mirrors at the centre of the border pixel, repeatedly where the kernel is wider than the picture.
    private static int Reflect(int position, int extent)
    {
        if (extent == 1)
            return 0;
        int period = 2 * (extent - 1);
        int offset = ((position % period) + period) % period;
        return offset < extent ? offset : period - offset;
    }
}
