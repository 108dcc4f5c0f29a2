using NestQuant.Onnx;

namespace NestQuant.Compiler.Calibration;

/// <summary>
/// Statistics of all activations of a model over some samples. Parts of a data set can be swept on different machines and merged, with the
/// same result as one sweep.
/// </summary>
public sealed class CalibrationStatistics
{
    private readonly SortedDictionary<string, ActivationStatistics> _values = new(StringComparer.Ordinal);

    /// <summary>Starts with statistics of some values.</summary>
    /// <param name="sourceSha256">SHA-256 of the source model's file, lower-case hexadecimal; empty when the source is not a file.</param>
    /// <param name="samples">Number of samples, at least 0.</param>
    /// <param name="values">Statistics by value name, taken over.</param>
    public CalibrationStatistics(string sourceSha256, long samples, IEnumerable<KeyValuePair<string, ActivationStatistics>> values)
    {
        ArgumentNullException.ThrowIfNull(sourceSha256);
        ArgumentOutOfRangeException.ThrowIfNegative(samples);
        ArgumentNullException.ThrowIfNull(values);
        (SourceSha256, Samples) = (sourceSha256, samples);
        foreach (var (name, statistics) in values)
            _values.Add(name, statistics);
    }

    /// <summary>SHA-256 of the source model's file, lower-case hexadecimal; empty when the source is not a file.</summary>
    public string SourceSha256 { get; }

    /// <summary>Number of samples swept.</summary>
    public long Samples { get; private set; }

    /// <summary>Statistics by value name, in ordinal order of names.</summary>
    public IReadOnlyDictionary<string, ActivationStatistics> Values => _values;

    /// <summary>Adds the statistics of other samples of the same model.</summary>
    /// <param name="other">The statistics.</param>
    /// <param name="name">Name for messages.</param>
    /// <exception cref="ModelException">They are of another model, or of other values of it; nothing has been added.</exception>
    public void Add(CalibrationStatistics other, string name)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.SourceSha256 != SourceSha256)
            throw new ModelException(
                $"{name}: belongs to another model (SHA-256 {other.SourceSha256}) than the others ({SourceSha256}): calibrate all parts "
                    + "on the same file");
        string? missing = _values.Keys.Except(other.Values.Keys, StringComparer.Ordinal).FirstOrDefault();
        string? added = other.Values.Keys.Except(_values.Keys, StringComparer.Ordinal).FirstOrDefault();
        if (missing is not null || added is not null)
        {
            throw new ModelException(
                $"{name}: has {(missing is not null ? $"no statistics of '{missing}'" : $"statistics of '{added}'")}, unlike the others: "
                    + "calibrate all parts with the same version and options");
        }

        foreach (var (value, statistics) in other.Values)
            _values[value].Add(statistics);
        Samples += other.Samples;
    }

    /// <summary>The ranges that a method chooses for some values. Values that never had an element have no range.</summary>
    /// <param name="method">The method.</param>
    /// <param name="values">Names of the values whose ranges are wanted, each once.</param>
    /// <param name="threads">Most threads to use, at least 1; the result does not depend on it.</param>
    public ActivationRanges RangesBy(CalibrationMethod method, IEnumerable<string> values, int threads)
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(values);
        string[] names = [.. values.Where(name => _values.TryGetValue(name, out ActivationStatistics? statistics) && statistics.Count > 0)];
        var ranges = new TensorRange[names.Length];
        Parallel.For(
            0, names.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, i => ranges[i] = method.RangeOf(_values[names[i]]));
        return new ActivationRanges(names.Zip(ranges).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal));
    }
}
