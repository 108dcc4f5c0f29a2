using System.Globalization;

namespace NestQuant.Compiler.Calibration;

/// <summary>
/// Clips the values of largest magnitude, so that at least the given percentage of all values stays as it is. With 100 percent nothing is
/// clipped.
/// </summary>
public sealed record PercentileCalibration : CalibrationMethod
{
    private readonly double _percent = 99.99;

    /// <summary>Percentage of the values, zeros among them, that are not clipped: above 0, up to 100.</summary>
    public double Percent
    {
        get => _percent;
        init =>
            _percent = value is > 0 and <= 100
                ? value
                : throw new ArgumentOutOfRangeException(nameof(value), value, "a number above 0 and up to 100 is needed");
    }

    private protected override TensorRange Choose(ActivationStatistics statistics)
    {
        ActivationHistogram histogram = statistics.Histogram;
        double wanted = Math.Ceiling(Percent / 100 * statistics.Count);
        long kept = histogram.Zeros;
        int bins = 0;
        // At least one bin: with a range of width zero, a value that is nearly always zero would become constant.
        do
        {
            kept += histogram[bins] + histogram[-bins - 1];
            bins++;
        }
        while (bins < ActivationHistogram.HalfBins && kept < wanted);

        return new ClippedRange(statistics, bins, bins).Values;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"percentile:{Percent}");
}
