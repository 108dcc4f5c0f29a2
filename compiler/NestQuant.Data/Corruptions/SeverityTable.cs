namespace NestQuant.Data.Corruptions;

/// <summary>
/// A corruption's parameters at severities 1 to 5 in the benchmark's three releases. Small pictures have milder ones: the blur of a large
/// picture would erase a small one.
/// </summary>
/// <param name="ImageNet">ImageNet-C, for pictures whose longer side is above 64.</param>
/// <param name="TinyImageNet">Tiny-ImageNet-C, for pictures of 33 to 64.</param>
/// <param name="Cifar">CIFAR-10-C, for pictures of at most 32.</param>
internal sealed record SeverityTable<T>(T[] ImageNet, T[] TinyImageNet, T[] Cifar)
{
    private const int TinyImageNetSide = 64;
    private const int CifarSide = 32;

    /// <summary>The parameters for a picture of this size.</summary>
    public T For(PixelImage image, int severity)
    {
        T[] release = Math.Max(image.Height, image.Width) switch
        {
            <= CifarSide => Cifar,
            <= TinyImageNetSide => TinyImageNet,
            _ => ImageNet,
        };
        return release[severity - 1];
    }
}
