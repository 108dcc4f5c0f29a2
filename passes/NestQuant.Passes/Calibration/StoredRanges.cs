using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Onnx;
using NestQuant.Compiler.Pipeline;

namespace NestQuant.Passes.Calibration;

/// <summary>Ranges from statistics of an earlier sweep, or of several that have been merged.</summary>
public sealed class StoredRanges : IActivationRangeSource
{
    private readonly CalibrationStatistics _statistics;
    private readonly CalibrationMethod _method;

    /// <summary>Uses statistics.</summary>
    /// <param name="statistics">The statistics.</param>
    /// <param name="sourceSha256">SHA-256 of the file of the model that is compiled, lower-case hexadecimal.</param>
    /// <param name="method">How ranges are chosen; null for the default.</param>
    /// <exception cref="ModelException">The statistics are those of another model.</exception>
    public StoredRanges(CalibrationStatistics statistics, string sourceSha256, CalibrationMethod? method = null)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        if (statistics.SourceSha256 != sourceSha256)
            throw new ModelException($"the calibration is that of another model, with SHA-256 {statistics.SourceSha256}: this one has {sourceSha256}; calibrate it with 'nestquant calibrate'");
        (_statistics, _method) = (statistics, method ?? CalibrationMethod.Default);
    }

    /// <inheritdoc/>
    public ActivationRanges RangesOf(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return _statistics.RangesBy(_method, context.Threads);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{_method} of {_statistics.Samples} samples";
}
