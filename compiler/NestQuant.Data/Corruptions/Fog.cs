using System.Numerics;

namespace NestQuant.Data.Corruptions;

/// <summary>Lays a random cloud over the picture and scales the sum back to the picture's own brightest value.</summary>
internal sealed class Fog() : Corruption("fog")
{
    private static readonly SeverityTable<(double Thickness, double Decay)> Cloud = new(
        ImageNet: [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)],
        TinyImageNet: [(0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)],
        Cifar: [(0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        (double thickness, double decay) = Cloud.For(image, severity);
        int side = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(Math.Max(image.Height, image.Width), 2));
        double[] cloud = PlasmaFractal.Create(side, decay, random);
        double brightest = image.Values.Max();
        double scale = brightest / (brightest + thickness);
        for (int channel = 0; channel < image.Channels; channel++)
        {
            Span<float> plane = image.Plane(channel);
            for (int i = 0; i < plane.Length; i++)
                plane[i] = (float)((plane[i] + (thickness * cloud[(i / image.Width * side) + (i % image.Width)])) * scale);
        }
    }
}
