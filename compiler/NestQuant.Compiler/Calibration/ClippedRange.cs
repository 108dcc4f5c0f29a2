namespace NestQuant.Compiler.Calibration;

/// <summary>A range that ends at boundaries of a histogram's bins, or at the extremes where these are closer to zero.</summary>
/// <param name="statistics">The values to be clipped.</param>
/// <param name="below">Bins below zero that are kept, 0 to <see cref="ActivationHistogram.HalfBins"/>.</param>
/// <param name="above">Bins above zero that are kept, likewise.</param>
internal readonly struct ClippedRange(ActivationStatistics statistics, int below, int above)
{
    /// <summary>The clipped range.</summary>
    public TensorRange Values
    {
        get
        {
            double width = statistics.Histogram.BinWidth;
            // Clamped before the conversion to float: the outer boundary of the largest possible bins exceeds float32.
            return new TensorRange((float)Clamped(-below * width), (float)Clamped(above * width));
        }
    }

    /// <summary>
    /// Numbers of bins worth trying on one side: all that hold values, then fewer and fewer in steps of a sixteenth, so that the end of the
    /// range is found within 6 percent even if it lies far from the largest value.
    /// </summary>
    public static IEnumerable<int> Candidates(int bins)
    {
        yield return bins;
        while (bins > 1)
            yield return bins -= Math.Max(1, bins >> 4);
    }

    private double Clamped(double border) => Math.Clamp(border, statistics.Min, statistics.Max);
}
