namespace NestQuant.Data.Corruptions;

/// <summary>Scales down and up again with a box filter: a picture from a small sensor.</summary>
internal sealed class Pixelate() : Corruption("pixelate")
{
    private static readonly SeverityTable<double> Scale = new(
        ImageNet: [0.6, 0.5, 0.4, 0.3, 0.25],
        TinyImageNet: [0.9, 0.8, 0.7, 0.6, 0.5],
        Cifar: [0.95, 0.9, 0.85, 0.75, 0.65]);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        double scale = Scale.For(image, severity);
        int height = Math.Max((int)(image.Height * scale), 1);
        int width = Math.Max((int)(image.Width * scale), 1);
        for (int channel = 0; channel < image.Channels; channel++)
        {
            Span<float> plane = image.Plane(channel);
            float[] small = Resize(plane, image.Height, image.Width, height, width);
            Resize(small, height, width, image.Height, image.Width).CopyTo(plane);
        }
    }

    private static float[] Resize(ReadOnlySpan<float> source, int height, int width, int targetHeight, int targetWidth)
    {
        (int First, int Count)[] rows = Boxes(height, targetHeight);
        (int First, int Count)[] columns = Boxes(width, targetWidth);
        var target = new float[targetHeight * targetWidth];
        for (int y = 0; y < targetHeight; y++)
        {
            for (int x = 0; x < targetWidth; x++)
            {
                double sum = 0;
                for (int row = rows[y].First; row < rows[y].First + rows[y].Count; row++)
                {
                    for (int column = columns[x].First; column < columns[x].First + columns[x].Count; column++)
                        sum += source[(row * width) + column];
                }

                target[(y * targetWidth) + x] = (float)(sum / (rows[y].Count * columns[x].Count));
            }
        }

        return target;
    }

    // As in Pillow's box filter, a source pixel belongs as a whole to the target pixel that covers its centre.
    private static (int First, int Count)[] Boxes(int source, int target)
    {
        double scale = (double)source / target;
        double reach = Math.Max(scale, 1) / 2;
        var boxes = new (int First, int Count)[target];
        for (int i = 0; i < target; i++)
        {
            double centre = (i + 0.5) * scale;
            int first = Math.Max((int)Math.Floor(centre - reach + 0.5), 0);
            int last = Math.Min((int)Math.Floor(centre + reach - 0.5), source - 1);
            boxes[i] = (first, last - first + 1);
        }

        return boxes;
    }
}
