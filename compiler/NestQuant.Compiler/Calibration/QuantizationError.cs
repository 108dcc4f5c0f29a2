namespace NestQuant.Compiler.Calibration;

/// <summary>The expected squared error of uint8 quantization of an activation.</summary>
internal static class QuantizationError
{
    private const int HighestLevel = 255;

    /// <summary>Expected sum of squared errors, assuming that values are evenly spread over their histogram bin.</summary>
    /// <param name="statistics">The values.</param>
    /// <param name="range">The range that is quantized, after it has been widened to include zero.</param>
    public static double Of(ActivationStatistics statistics, TensorRange range)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        double min = Math.Min(range.Min, 0), max = Math.Max(range.Max, 0);
        double scale = (max - min) / HighestLevel;
        ActivationHistogram histogram = statistics.Histogram;
        int first = histogram.FirstBin, last = histogram.LastBin;
        if (scale == 0)
            return first > last ? 0 : double.PositiveInfinity;

        double lowest = -Math.Round(-min / scale), highest = lowest + HighestLevel;
        double step = histogram.BinWidth / scale, error = 0, from = 0;
        int next = int.MinValue;
        for (int bin = first; bin <= last; bin++)
        {
            long count = histogram[bin];
            if (count == 0)
                continue;
            if (bin != next)
                from = Integral(bin * step, lowest, highest);
            next = bin + 1;
            double to = Integral(next * step, lowest, highest);
            error += count * (to - from);
            from = to;
        }

        return error / step * scale * scale;
    }

    /// <summary>
    /// An antiderivative of (t - q(t))^2, where q rounds t to an integer and clips it to [lowest, highest]: one twelfth per unit, plus a
    /// third of the cube of the remainder, which also holds beyond the last integer.
    /// </summary>
    private static double Integral(double t, double lowest, double highest)
    {
        double level = Math.Clamp(Math.Round(t), lowest, highest), rest = t - level;
        return (level / 12) + (rest * rest * rest / 3);
    }
}
