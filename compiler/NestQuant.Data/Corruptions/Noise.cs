namespace NestQuant.Data.Corruptions;

/// <summary>Adds normal noise to every value: low light.</summary>
internal sealed class GaussianNoise() : Corruption("gaussian_noise")
{
    private static readonly SeverityTable<double> Deviation = new(
        ImageNet: [0.08, 0.12, 0.18, 0.26, 0.38],
        TinyImageNet: [0.04, 0.08, 0.12, 0.15, 0.18],
        Cifar: [0.04, 0.06, 0.08, 0.09, 0.10]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        double deviation = Deviation.For(image, severity);
        foreach (ref float value in image.Values.AsSpan())
            value += (float)(deviation * random.Normal());
    }
}

/// <summary>Replaces every value by a Poisson count of photons: the discrete nature of light.</summary>
internal sealed class ShotNoise() : Corruption("shot_noise")
{
    private static readonly SeverityTable<int> Photons = new(
        ImageNet: [60, 25, 12, 5, 3],
        TinyImageNet: [250, 100, 50, 30, 15],
        Cifar: [500, 250, 100, 75, 50]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        int photons = Photons.For(image, severity);
        foreach (ref float value in image.Values.AsSpan())
            value = random.Poisson(value * photons) / (float)photons;
    }
}

/// <summary>Sets a share of the values to 0 or 1, each as likely: bit errors.</summary>
internal sealed class ImpulseNoise() : Corruption("impulse_noise")
{
    private static readonly SeverityTable<double> Share = new(
        ImageNet: [0.03, 0.06, 0.09, 0.17, 0.27],
        TinyImageNet: [0.01, 0.02, 0.05, 0.08, 0.14],
        Cifar: [0.01, 0.02, 0.03, 0.05, 0.07]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        double share = Share.For(image, severity);
        foreach (ref float value in image.Values.AsSpan())
        {
            if (random.Uniform() < share)
                value = random.Uniform() < 0.5 ? 0 : 1;
        }
    }
}

/// <summary>Adds normal noise in proportion to the value.</summary>
internal sealed class SpeckleNoise() : Corruption("speckle_noise")
{
    private static readonly SeverityTable<double> Deviation = new(
        ImageNet: [0.15, 0.2, 0.35, 0.45, 0.6],
        TinyImageNet: [0.15, 0.2, 0.25, 0.3, 0.35],
        Cifar: [0.06, 0.1, 0.12, 0.16, 0.2]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        double deviation = Deviation.For(image, severity);
        foreach (ref float value in image.Values.AsSpan())
            value += (float)(value * deviation * random.Normal());
    }
}
