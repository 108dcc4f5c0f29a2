namespace NestQuant.Data;

/// <summary>
/// Bilinear scaling with a filter that widens when the picture shrinks, so that every source pixel counts, as common training pipelines do.
/// </summary>
internal static class BilinearResize
{
    /// <summary>Reads line <paramref name="y"/> of a plane.</summary>
    public delegate void LineReader(int y, Span<float> line);

    /// <summary>
    /// Scales a plane, given line by line, of <paramref name="height"/> x <paramref name="width"/> to the target's extents.
    /// </summary>
    public static void Resize(LineReader read, int height, int width, Span<float> target, int targetHeight, int targetWidth)
    {
        Tap[] columns = Taps(width, targetWidth);
        Tap[] rows = Taps(height, targetHeight);
        float[] line = new float[width], narrowed = new float[targetWidth];
        target.Clear();
        // Target rows read source rows in order: those before first are finished, the one at first may not have been started.
        for (int y = 0, first = 0; y < height; y++)
        {
            read(y, line);
            for (int x = 0; x < targetWidth; x++)
                narrowed[x] = Weigh(line.AsSpan(columns[x].First), columns[x].Weights);
            while (first < targetHeight && rows[first].End <= y)
                first++;
            for (int row = first; row < targetHeight && rows[row].First <= y; row++)
                AddWeighted(narrowed, rows[row].Weights[y - rows[row].First], target.Slice(row * targetWidth, targetWidth));
        }
    }

    private static float Weigh(ReadOnlySpan<float> values, float[] weights)
    {
        float sum = 0;
        for (int i = 0; i < weights.Length; i++)
            sum += values[i] * weights[i];
        return sum;
    }

    private static void AddWeighted(ReadOnlySpan<float> values, float weight, Span<float> sums)
    {
        for (int i = 0; i < values.Length; i++)
            sums[i] += values[i] * weight;
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

    private readonly record struct Tap(int First, float[] Weights)
    {
        public int End => First + Weights.Length;
    }
}
