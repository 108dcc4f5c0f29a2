namespace NestQuant.Data.Corruptions;

/// <summary>Raises the value of hue, saturation, value by a constant: daylight.</summary>
internal sealed class Brightness() : Corruption("brightness")
{
    private static readonly SeverityTable<float> Rise = new(
        ImageNet: [0.1f, 0.2f, 0.3f, 0.4f, 0.5f],
        TinyImageNet: [0.1f, 0.2f, 0.3f, 0.4f, 0.5f],
        Cifar: [0.05f, 0.1f, 0.15f, 0.2f, 0.3f]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        float rise = Rise.For(image, severity);
        for (int i = 0; i < image.Area; i++)
        {
            // The value is the largest channel; hue and saturation stay when all channels scale with it.
            float value = 0;
            for (int channel = 0; channel < image.Channels; channel++)
                value = Math.Max(value, image.Plane(channel)[i]);
            float raised = Math.Min(value + rise, 1);
            for (int channel = 0; channel < image.Channels; channel++)
            {
                ref float pixel = ref image.Plane(channel)[i];
                pixel = value > 0 ? pixel / value * raised : raised;
            }
        }
    }
}

/// <summary>Moves every channel towards its mean.</summary>
internal sealed class Contrast() : Corruption("contrast")
{
    private static readonly SeverityTable<double> Factor = new(
        ImageNet: [0.4, 0.3, 0.2, 0.1, 0.05],
        TinyImageNet: [0.4, 0.3, 0.2, 0.1, 0.05],
        Cifar: [0.75, 0.5, 0.4, 0.3, 0.15]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        double factor = Factor.For(image, severity);
        for (int channel = 0; channel < image.Channels; channel++)
        {
            Span<float> plane = image.Plane(channel);
            double mean = 0;
            foreach (float value in plane)
                mean += value;
            mean /= plane.Length;
            foreach (ref float value in plane)
                value = (float)(((value - mean) * factor) + mean);
        }
    }
}

/// <summary>
/// Changes the saturation of hue, saturation, value: paler at severities 1 and 2, stronger above. A picture with one channel has no
/// saturation and stays as it is.
/// </summary>
internal sealed class Saturate() : Corruption("saturate")
{
    private static readonly SeverityTable<(float Factor, float Rise)> Change = new(
        ImageNet: [(0.3f, 0), (0.1f, 0), (2, 0), (5, 0.1f), (20, 0.2f)],
        TinyImageNet: [(0.3f, 0), (0.1f, 0), (2, 0), (5, 0.1f), (30, 0.2f)],
        Cifar: [(0.3f, 0), (0.1f, 0), (1.5f, 0), (2, 0.1f), (2.5f, 0.2f)]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        if (image.Channels != 3)
            return;
        (float factor, float rise) = Change.For(image, severity);
        Span<float> red = image.Plane(0);
        Span<float> green = image.Plane(1);
        Span<float> blue = image.Plane(2);
        for (int i = 0; i < image.Area; i++)
        {
            float value = Math.Max(red[i], Math.Max(green[i], blue[i]));
            float least = Math.Min(red[i], Math.Min(green[i], blue[i]));
            float saturation = value > 0 ? (value - least) / value : 0;
            float changed = Math.Clamp((saturation * factor) + rise, 0, 1);
            if (saturation > 0)
            {
                // At a fixed hue and value, a channel's distance from the value is proportional to the saturation.
                float ratio = changed / saturation;
                red[i] = value - ((value - red[i]) * ratio);
                green[i] = value - ((value - green[i]) * ratio);
                blue[i] = value - ((value - blue[i]) * ratio);
            }
            else
            {
                // The hue of a grey counts as 0, which is red.
                green[i] = blue[i] = value * (1 - changed);
            }
        }
    }
}
