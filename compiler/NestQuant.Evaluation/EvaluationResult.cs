namespace NestQuant.Evaluation;

/// <summary>What an evaluation found.</summary>
/// <param name="Samples">Number of samples.</param>
/// <param name="Reference">What all figures but top-1 are against.</param>
/// <param name="ReferenceTop1">The reference's own accuracy, 0 to 1; null without labels or classes.</param>
/// <param name="Precisions">One entry per precision, in the order asked for.</param>
public sealed record EvaluationResult(
    long Samples, EvaluationReference Reference, double? ReferenceTop1, IReadOnlyList<PrecisionResult> Precisions)
{
    /// <summary>The same for corrupted data, an entry per corruption and severity; empty when none was asked for.</summary>
    public IReadOnlyList<CorruptedResult> Corruptions { get; init; } = [];
}

/// <summary>What an evaluation under one corruption found.</summary>
/// <param name="Name">The corruption.</param>
/// <param name="Severity">1 to 5; null for a mean over severities.</param>
/// <param name="ReferenceTop1">Accuracy of the reference on the same corrupted data, 0 to 1; null without labels.</param>
/// <param name="Precisions">One entry per precision; agreement is with the reference on the same corrupted data.</param>
public sealed record CorruptedResult(string Name, int? Severity, double? ReferenceTop1, IReadOnlyList<PrecisionResult> Precisions);

/// <summary>What a model is compared with.</summary>
/// <param name="Kind"><c>model</c>: another model; <c>expected</c>: the outputs in the test data; <c>self</c>: the same model at
/// <paramref name="Bits"/>.</param>
/// <param name="Model">Path of the other model.</param>
/// <param name="Bits">Precision of the same model.</param>
public sealed record EvaluationReference(string Kind, string? Model = null, int? Bits = null)
{
    /// <summary>What it is, for people: a path, or a phrase.</summary>
    public override string ToString() => Kind switch
    {
        "model" => Model!,
        "expected" => "the expected outputs in the test data",
        _ => $"this model at {Bits} bits",
    };
}

/// <summary>Figures of one precision.</summary>
/// <param name="Bits">Bits of the weights, 32 for a model that is not nested.</param>
/// <param name="Top1">Accuracy of the first output, 0 to 1; null without labels or classes.</param>
/// <param name="Agreement">Share of samples with the reference's top-1 class in the first output, 0 to 1; null without classes.</param>
/// <param name="Outputs">Figures of every compared output; empty for a mean over corruptions.</param>
public sealed record PrecisionResult(int Bits, double? Top1, double? Agreement, IReadOnlyList<OutputResult> Outputs)
{
    /// <summary>
    /// Ratio of the output that differs most, in dB; infinite when all equal the reference, not a number without outputs.
    /// </summary>
    public double SqnrDb => Outputs.Count == 0 ? double.NaN : Outputs.Min(static output => output.SqnrDb);
}

/// <summary>How near one output is to that of the reference.</summary>
/// <param name="Name">Its name.</param>
/// <param name="SqnrDb">Energy of the reference over energy of the difference, in dB; infinite when they are equal.</param>
/// <param name="Cosine">Cosine of the angle between the values of all samples and the reference's, -1 to 1.</param>
/// <param name="LargestError">Largest absolute difference.</param>
public sealed record OutputResult(string Name, double SqnrDb, double Cosine, double LargestError)
{
    /// <summary>The mask that says which positions count; null where all do.</summary>
    public string? MaskedBy { get; init; }
}
