namespace NestQuant.Compiler.Calibration;

/// <summary>
/// Clips symmetrically at the magnitude where quantization loses the least information of the distribution of the values, measured by the
/// Kullback-Leibler divergence (S. Migacz, <i>8-bit Inference with TensorRT</i>, GTC 2017).
/// </summary>
/// <remarks>
/// For a clipping magnitude, P is the histogram inside of it with the clipped values added to its outermost bins; Q is the histogram inside
/// of it without them, after the bins of each of the 256 levels have been replaced by their mean over those that are not empty. Zeros are
/// left out: they are always exact, and after a Relu there are so many that they would outweigh everything else. Where Q is empty and P is
/// not, Q counts as 10^-4 of a value.
/// </remarks>
public sealed record EntropyCalibration : CalibrationMethod
{
    private const int Levels = 256;
    private const double LeastCount = 1e-4;

    private protected override TensorRange Choose(ActivationStatistics statistics)
    {
        ActivationHistogram histogram = statistics.Histogram;
        int lowest = histogram.FirstBin, highest = histogram.LastBin;
        int largest = Math.Max(highest + 1, -lowest);
        int best = largest;
        double least = double.PositiveInfinity;
        foreach (int bins in ClippedRange.Candidates(largest))
        {
            int first = Math.Max(lowest, -bins), last = Math.Min(highest, bins - 1);
            // With no more bins than levels, every distribution would seem lossless.
            if (last - first + 1 < Levels)
                break;
            double divergence = Divergence(histogram, first, last);
            if (divergence < least)
                (best, least) = (bins, divergence);
        }

        return new ClippedRange(statistics, best, best).Values;
    }

    private static double Divergence(ActivationHistogram histogram, int first, int last)
    {
        double[] values = new double[last - first + 1];
        for (int i = 0; i < values.Length; i++)
            values[i] = histogram[first + i];
        double[] quantized = Quantized(values);
        for (int bin = -ActivationHistogram.HalfBins; bin < first; bin++)
            values[0] += histogram[bin];
        for (int bin = last + 1; bin < ActivationHistogram.HalfBins; bin++)
            values[^1] += histogram[bin];

        double total = values.Sum(), kept = quantized.Sum(), divergence = 0;
        if (kept == 0)
            return double.PositiveInfinity;
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] > 0)
                divergence += values[i] / total * Math.Log(values[i] / total * kept / Math.Max(quantized[i], LeastCount));
        }

        return divergence;
    }

    private static double[] Quantized(double[] values)
    {
        double[] quantized = new double[values.Length];
        for (int level = 0; level < Levels; level++)
        {
            int start = (int)((long)level * values.Length / Levels), end = (int)((long)(level + 1) * values.Length / Levels);
            ReadOnlySpan<double> bins = values.AsSpan(start, end - start);
            double sum = 0;
            int occupied = 0;
            foreach (double count in bins)
            {
                sum += count;
                occupied += count > 0 ? 1 : 0;
            }

            for (int i = start; i < end; i++)
                quantized[i] = values[i] > 0 ? sum / occupied : 0;
        }

        return quantized;
    }

    /// <inheritdoc/>
    public override string ToString() => "entropy";
}
