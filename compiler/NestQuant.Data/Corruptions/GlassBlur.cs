namespace NestQuant.Data.Corruptions;

/// <summary>Blurs, moves pixels about in small neighbourhoods and blurs again: frosted glass.</summary>
internal sealed class GlassBlur() : Corruption("glass_blur")
{
    private static readonly SeverityTable<(double Sigma, int Reach, int Rounds)> Glass = new(
        ImageNet: [(0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)],
        TinyImageNet: [(0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)],
        Cifar: [(0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        (double sigma, int reach, int rounds) = Glass.For(image, severity);
        GaussianBlur.Blur(image, sigma);
        for (int round = 0; round < rounds; round++)
        {
            for (int y = image.Height - reach; y > reach; y--)
            {
                for (int x = image.Width - reach; x > reach; x--)
                {
                    int dx = random.Integer(-reach, reach);
                    int dy = random.Integer(-reach, reach);
                    Take(image, (y * image.Width) + x, ((y + dy) * image.Width) + x + dx);
                }
            }
        }

        GaussianBlur.Blur(image, sigma);
    }

    // The release intends to swap the two pixels, but its statement only copies one; the published pictures were made so.
    private static void Take(PixelImage image, int target, int source)
    {
        for (int channel = 0; channel < image.Channels; channel++)
            image.Plane(channel)[target] = image.Plane(channel)[source];
    }
}
