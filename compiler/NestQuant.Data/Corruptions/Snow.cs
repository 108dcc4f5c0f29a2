namespace NestQuant.Data.Corruptions;

/// <summary>Brightens the picture towards grey and lays driven flakes over it.</summary>
internal sealed class Snow() : Corruption("snow")
{
    private static readonly SeverityTable<Flakes> Table = new(
        ImageNet:
        [
            new(0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            new(0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            new(0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            new(0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            new(0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ],
        TinyImageNet:
        [
            new(0.1, 0.2, 1, 0.6, 8, 3, 0.8),
            new(0.1, 0.2, 1, 0.5, 10, 4, 0.8),
            new(0.15, 0.3, 1.75, 0.55, 10, 4, 0.7),
            new(0.25, 0.3, 2.25, 0.6, 12, 6, 0.65),
            new(0.3, 0.3, 1.25, 0.65, 14, 12, 0.6),
        ],
        Cifar:
        [
            new(0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            new(0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            new(0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            new(0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            new(0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        Flakes flakes = Table.For(image, severity);
        float[] layer = Layer(image, flakes, random);
        var grey = new float[image.Area];
        for (int i = 0; i < grey.Length; i++)
            grey[i] = (float)((Luminance(image, i) * 1.5) + 0.5);
        for (int channel = 0; channel < image.Channels; channel++)
        {
            Span<float> plane = image.Plane(channel);
            for (int i = 0; i < plane.Length; i++)
            {
                double brightened = (flakes.Keep * plane[i]) + ((1 - flakes.Keep) * Math.Max(plane[i], grey[i]));
                plane[i] = (float)(brightened + layer[i] + layer[^(i + 1)]);
            }
        }
    }

    private static float[] Layer(PixelImage image, Flakes flakes, RandomStream random)
    {
        var seeds = new float[image.Area];
        for (int i = 0; i < seeds.Length; i++)
            seeds[i] = (float)(flakes.Mean + (flakes.Deviation * random.Normal()));
        float[] layer = ZoomBlur.Enlarge(seeds, image.Width, flakes.Zoom);
        foreach (ref float value in layer.AsSpan())
            value = value < flakes.Threshold ? 0 : Math.Clamp(value, 0, 1);
        MotionBlur.Smear(layer, image.Width, flakes.Radius, flakes.Sigma, random.Uniform(-135, -45));
        return layer;
    }

    private static double Luminance(PixelImage image, int pixel) => image.Channels == 1
        ? image.Values[pixel]
        : (0.299 * image.Plane(0)[pixel]) + (0.587 * image.Plane(1)[pixel]) + (0.114 * image.Plane(2)[pixel]);

    /// <param name="Mean">Mean of the normal noise that the flakes are made from.</param>
    /// <param name="Deviation">Deviation of that noise.</param>
    /// <param name="Zoom">Enlargement of the noise: size of the flakes.</param>
    /// <param name="Threshold">Noise below it is not a flake.</param>
    /// <param name="Radius">Radius of the motion blur, in pixels.</param>
    /// <param name="Sigma">Deviation of the motion blur, in pixels.</param>
    /// <param name="Keep">Share of the picture that is not brightened.</param>
    private sealed record Flakes(double Mean, double Deviation, double Zoom, double Threshold, int Radius, double Sigma, double Keep);
}
