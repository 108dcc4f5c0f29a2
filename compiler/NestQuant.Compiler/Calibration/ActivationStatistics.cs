namespace NestQuant.Compiler.Calibration;

/// <summary>
/// The statistics that calibration keeps of one activation, in memory that does not grow with the number of values: count, exact extremes
/// and a histogram. The same values give the same statistics in any order, and when merged from any parts.
/// </summary>
public sealed class ActivationStatistics
{
    /// <summary>Starts without values.</summary>
    public ActivationStatistics()
        : this(new ActivationHistogram())
    {
    }

    private ActivationStatistics(ActivationHistogram histogram) => Histogram = histogram;

    /// <summary>Number of values.</summary>
    public long Count { get; private set; }

    /// <summary>The smallest value; 0 when there are none.</summary>
    public float Min { get; private set; }

    /// <summary>The largest value; 0 when there are none.</summary>
    public float Max { get; private set; }

    /// <summary>The histogram of the values.</summary>
    public ActivationHistogram Histogram { get; }

    /// <summary>Adds values.</summary>
    /// <param name="values">Finite values.</param>
    /// <exception cref="ArgumentException">A value is NaN or infinite; nothing has been added.</exception>
    public void Add(ReadOnlySpan<float> values)
    {
        if (values.IsEmpty)
            return;
        float min = float.PositiveInfinity, max = float.NegativeInfinity;
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                throw new ArgumentException("a value is not finite", nameof(values));
            min = value < min ? value : min;
            max = value > max ? value : max;
        }

        // Adding zero turns -0 into 0, so that the order of the two does not matter.
        (min, max) = (min + 0f, max + 0f);
        Histogram.Add(values, min, max);
        Extend(min, max, values.Length);
    }

    /// <summary>Adds the values of other statistics.</summary>
    public void Add(ActivationStatistics other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Count == 0)
            return;
        Histogram.Add(other.Histogram);
        Extend(other.Min, other.Max, other.Count);
    }

    /// <summary>Statistics with given content, as <see cref="CalibrationJson"/> reads them.</summary>
    internal static ActivationStatistics Of(long count, float min, float max, ActivationHistogram histogram) =>
        new(histogram) { Count = count, Min = min, Max = max };

    /// <summary>An unpacked copy for reading every bin of the histogram.</summary>
    internal ActivationStatistics Unpacked() => Of(Count, Min, Max, Histogram.Unpacked());

    private void Extend(float min, float max, long count)
    {
        (Min, Max) = Count == 0 ? (min, max) : (Math.Min(Min, min), Math.Max(Max, max));
        Count += count;
    }
}
