namespace NestQuant.Data.Corruptions;

/// <summary>Averages the picture with enlargements of its centre: a camera that moves towards its subject.</summary>
internal sealed class ZoomBlur() : Corruption("zoom_blur")
{
    private static readonly (double Step, int Count)[] SmallPictures = [(0.01, 7), (0.01, 12), (0.01, 16), (0.01, 21), (0.01, 26)];

    // Enlargements by 1, 1 + step, ... The counts are those of the release's floating-point ranges, which rounding makes differ from the
    // apparent ones.
    private static readonly SeverityTable<(double Step, int Count)> Enlargements = new(
        ImageNet: [(0.01, 12), (0.01, 16), (0.02, 11), (0.02, 13), (0.03, 11)],
        TinyImageNet: SmallPictures,
        Cifar: SmallPictures);

    internal override void Distort(PixelImage image, int severity, RandomStream random)
    {
        (double step, int count) = Enlargements.For(image, severity);
        for (int channel = 0; channel < image.Channels; channel++)
        {
            Span<float> plane = image.Plane(channel);
            float[] source = plane.ToArray();
            for (int i = 0; i < count; i++)
            {
                float[] zoomed = Enlarge(source, image.Width, 1 + (i * step));
                for (int j = 0; j < zoomed.Length; j++)
                    plane[j] += zoomed[j];
            }

            foreach (ref float value in plane)
                value /= count + 1;
        }
    }

    /// <summary>Enlarges the centre of a plane bilinearly to the plane's own size; corner pixels stay at the corners.</summary>
    /// <param name="source">[height, width].</param>
    /// <param name="width">Columns.</param>
    /// <param name="factor">At least 1.</param>
    internal static float[] Enlarge(ReadOnlySpan<float> source, int width, double factor)
    {
        int height = source.Length / width;
        (int First, float Share)[] rows = Positions(height, factor);
        (int First, float Share)[] columns = Positions(width, factor);
        var target = new float[source.Length];
        for (int y = 0; y < height; y++)
        {
            (int row, float down) = rows[y];
            ReadOnlySpan<float> upper = source.Slice(row * width, width);
            ReadOnlySpan<float> lower = source.Slice(Math.Min(row + 1, height - 1) * width, width);
            for (int x = 0; x < width; x++)
            {
                (int column, float right) = columns[x];
                int next = Math.Min(column + 1, width - 1);
                float top = upper[column] + (right * (upper[next] - upper[column]));
                float bottom = lower[column] + (right * (lower[next] - lower[column]));
                target[(y * width) + x] = top + (down * (bottom - top));
            }
        }

        return target;
    }

    // The source position of each target pixel: crop to ceil(extent / factor) pixels, scale these, trim to the extent again.
    private static (int First, float Share)[] Positions(int extent, double factor)
    {
        int crop = (int)Math.Ceiling(extent / factor);
        int scaled = (int)Math.Round(crop * factor);
        int start = (extent - crop) / 2;
        int trim = (scaled - extent) / 2;
        double step = scaled > 1 ? (crop - 1) / (double)(scaled - 1) : 0;
        var positions = new (int First, float Share)[extent];
        for (int i = 0; i < extent; i++)
        {
            double position = (i + trim) * step;
            int first = (int)position;
            positions[i] = (start + first, (float)(position - first));
        }

        return positions;
    }
}
