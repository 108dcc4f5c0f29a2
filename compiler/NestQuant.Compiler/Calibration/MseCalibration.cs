namespace NestQuant.Compiler.Calibration;

/// <summary>
/// The range with the smallest expected squared error of uint8 quantization, from rounding and clipping, for the values of the histogram.
/// The ends are searched alternately until neither improves.
/// </summary>
public sealed record MseCalibration : CalibrationMethod
{
    private protected override TensorRange Choose(ActivationStatistics statistics)
    {
        ActivationHistogram histogram = statistics.Histogram;
        int below = -Math.Min(histogram.FirstBin, 0), above = Math.Max(histogram.LastBin + 1, 0);
        // Nothing is clipped at first, so the result is never worse than min-max.
        double least = QuantizationError.Of(statistics, new MinMaxCalibration().RangeOf(statistics));
        (int Below, int Above) best = (below, above), before;
        do
        {
            before = best;
            foreach (int candidate in ClippedRange.Candidates(above))
                Try(best with { Above = candidate });
            foreach (int candidate in ClippedRange.Candidates(below))
                Try(best with { Below = candidate });
        }
        while (best != before);

        return new ClippedRange(statistics, best.Below, best.Above).Values;

        void Try((int Below, int Above) candidate)
        {
            double error = QuantizationError.Of(statistics, new ClippedRange(statistics, candidate.Below, candidate.Above).Values);
            if (error < least)
                (best, least) = (candidate, error);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => "mse";
}
