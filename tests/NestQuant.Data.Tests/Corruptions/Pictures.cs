using NestQuant.Data.Corruptions;

namespace NestQuant.Data.Tests.Corruptions;

/// <summary>Pictures with known content, and what a corruption makes of them.</summary>
internal static class Pictures
{
    private const int Waves = 24;
    private const int HighestFrequency = 8;

    /// <summary>Random waves whose amplitude falls with their frequency, as in photographs; each channel has its own mix.</summary>
    public static float[] Textured(int channels, int height, int width, int seed = 7)
    {
        var random = new Random(seed);
        var pixels = new float[channels * height * width];
        Array.Fill(pixels, 0.45f);
        for (int wave = 0; wave < Waves; wave++)
        {
            double frequency = 1 + (random.NextDouble() * (HighestFrequency - 1));
            (double sin, double cos) = Math.SinCos(random.NextDouble() * Math.PI);
            double phase = random.NextDouble() * 2 * Math.PI;
            double[] amplitudes = [.. Enumerable.Range(0, channels).Select(_ => (0.05 + (0.15 * random.NextDouble())) / frequency)];
            for (int i = 0; i < pixels.Length; i++)
            {
                double along = ((i / width % height * sin) + (i % width * cos)) / Math.Max(height, width);
                pixels[i] += (float)(amplitudes[i / (height * width)] * Math.Cos((2 * Math.PI * frequency * along) + phase));
            }
        }

        return [.. pixels.Select(pixel => Math.Clamp(pixel, 0.05f, 0.95f))];
    }

    public static float[] Constant(int channels, int height, int width, float value)
    {
        var pixels = new float[channels * height * width];
        Array.Fill(pixels, value);
        return pixels;
    }

    public static float[] Corrupted(
        this float[] pixels, string name, int severity, int channels, int height, int width, long seed = 0, long sample = 0)
    {
        float[] result = [.. pixels];
        CorruptionCatalog.Find(name)!.Apply(result, channels, height, width, severity, seed, sample);
        return result;
    }

    /// <summary>Root of the mean squared difference.</summary>
    public static double Distance(float[] left, float[] right) =>
        Math.Sqrt(left.Zip(right, (a, b) => ((double)a - b) * ((double)a - b)).Average());
}
