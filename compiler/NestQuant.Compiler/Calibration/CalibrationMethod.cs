using System.Globalization;

namespace NestQuant.Compiler.Calibration;

/// <summary>
/// Chooses the range of an activation from its statistics alone. A method decides which values are clipped; including zero in the range is
/// up to the quantizer.
/// </summary>
public abstract record CalibrationMethod
{
    private const string PercentileName = "percentile";

    private protected CalibrationMethod()
    {
    }

    /// <summary>The forms that <see cref="Parse"/> reads.</summary>
    public const string Forms = "minmax, percentile[:P], entropy, mse";

    /// <summary>
    /// The default method: the one that came closest to the float models in measurements (docs/benchmarks.md).
    /// </summary>
    public static CalibrationMethod Default { get; } = new MseCalibration();

    /// <summary>Reads <c>minmax</c>, <c>percentile</c>, <c>percentile:99.9</c>, <c>entropy</c> or <c>mse</c>.</summary>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static CalibrationMethod Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text switch
        {
            "minmax" => new MinMaxCalibration(),
            "entropy" => new EntropyCalibration(),
            "mse" => new MseCalibration(),
            PercentileName => new PercentileCalibration(),
            _ when text.StartsWith(PercentileName + ":", StringComparison.Ordinal) => ParsePercentile(text[(PercentileName.Length + 1)..]),
            _ => throw new FormatException($"'{text}' is not a calibration method: {Forms} are possible"),
        };
    }

    /// <summary>The range of an activation.</summary>
    /// <param name="statistics">Statistics of at least one value.</param>
    /// <returns>A range within the smallest and the largest value.</returns>
    /// <exception cref="ArgumentException">There are no values.</exception>
    public TensorRange RangeOf(ActivationStatistics statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        if (statistics.Count == 0)
            throw new ArgumentException("there are no values to choose a range from", nameof(statistics));
        return Choose(statistics.Unpacked());
    }

    /// <summary>Chooses the range for at least one value.</summary>
    private protected abstract TensorRange Choose(ActivationStatistics statistics);

    private static PercentileCalibration ParsePercentile(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent) && percent is > 0 and <= 100
            ? new PercentileCalibration { Percent = percent }
            : throw new FormatException(
                $"'{text}' is not a percentile: a number above 0 and up to 100 is needed, for example {PercentileName}:99.9");
}
