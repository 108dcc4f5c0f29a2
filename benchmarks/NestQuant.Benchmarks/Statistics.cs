namespace NestQuant.Benchmarks;

/// <summary>Summaries of measured runs.</summary>
internal static class Statistics
{
    /// <summary>The median of at least one number.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
