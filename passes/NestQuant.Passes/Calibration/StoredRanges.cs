using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Calibration;

/// <summary>Ranges from statistics of an earlier sweep, or of several that have been merged.</summary>
public sealed class StoredRanges : IActivationRangeSource
{
    private readonly CalibrationStatistics _statistics;

    /// <summary>Uses statistics.</summary>
    /// <param name="statistics">The statistics.</param>
    /// <param name="name">What to call them in messages.</param>
    /// <param name="sourceSha256">SHA-256 of the file of the model that is compiled, lower-case hexadecimal.</param>
    /// <exception cref="ModelException">The statistics are those of another model.</exception>
    public StoredRanges(CalibrationStatistics statistics, string name, string sourceSha256)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        if (statistics.SourceSha256 != sourceSha256)
            throw new ModelException(
                $"{name}: belongs to another model, with SHA-256 {statistics.SourceSha256}; this one has {sourceSha256}: run 'nestquant "
                    + "calibrate' on it");
        _statistics = statistics;
    }

    /// <summary>How ranges are chosen from the statistics.</summary>
    public CalibrationMethod Method { get; init; } = CalibrationMethod.Default;

    /// <inheritdoc/>
    public ActivationRanges RangesOf(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // Only the model's own activations, since a file may hold more and choosing a range is expensive.
        GraphProto graph = context.Model.MainGraph();
        IEnumerable<string> values = graph.Input.Select(static input => input.Name)
            .Concat(graph.Node.SelectMany(static node => node.Output));
        return _statistics.RangesBy(Method, values.Distinct(StringComparer.Ordinal), context.Threads);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Method} of {_statistics.Samples} samples";
}
