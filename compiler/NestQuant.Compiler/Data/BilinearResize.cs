namespace NestQuant.Compiler.Data;

/// <summary>
/// Bilinear scaling with a filter that widens when the picture shrinks, so that every source pixel counts: what the common
/// training pipelines do.
/// </summary>
internal static class BilinearResize
{
    /// <summary>Scales a row-major plane of <paramref name="height"/> x <paramref name="width"/> to the target's extents.</summary>
    public static void Resize(ReadOnlySpan<float> source, int height, int width, Span<float> target, int targetHeight, int targetWidth)
    {
        Tap[] columns = Taps(width, targetWidth);
        Tap[] rows = Taps(height, targetHeight);
        float[] narrowed = new float[height * targetWidth];
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<float> line = source.Slice(y * width, width);
            for (int x = 0; x < targetWidth; x++)
                narrowed[(y * targetWidth) + x] = Weigh(line[columns[x].First..], columns[x].Weights, stride: 1);
        }

        for (int y = 0; y < targetHeight; y++)
        {
            for (int x = 0; x < targetWidth; x++)
                target[(y * targetWidth) + x] = Weigh(narrowed.AsSpan((rows[y].First * targetWidth) + x), rows[y].Weights, targetWidth);
        }
    }

    private static float Weigh(ReadOnlySpan<float> values, float[] weights, int stride)
    {
        float sum = 0;
        for (int i = 0; i < weights.Length; i++)
            sum += values[i * stride] * weights[i];
        return sum;
    }

    private static Tap[] Taps(int source, int target)
    {
        var taps = new Tap[target];
        double scale = (double)source / target;
        double radius = Math.Max(scale, 1);
        for (int i = 0; i < target; i++)
        {
            double centre = (i + 0.5) * scale;
            int first = Math.Max(0, (int)Math.Floor(centre - radius));
            int last = Math.Min(source - 1, (int)Math.Ceiling(centre + radius) - 1);
            double[] weights = new double[last - first + 1];
            for (int j = 0; j < weights.Length; j++)
                weights[j] = Math.Max(0, 1 - (Math.Abs(first + j + 0.5 - centre) / radius));
            double sum = weights.Sum();
            taps[i] = new Tap(first, Array.ConvertAll(weights, weight => (float)(weight / sum)));
        }

        return taps;
    }

    private readonly record struct Tap(int First, float[] Weights);
}
