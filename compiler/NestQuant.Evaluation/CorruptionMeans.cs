namespace NestQuant.Evaluation;

/// <summary>Means over severities and over corruptions; every corruption has the same severities, so each counts the same.</summary>
public static class CorruptionMeans
{
    /// <summary>The mean over severities for each corruption, in order.</summary>
    public static IReadOnlyList<CorruptedResult> PerCorruption(IReadOnlyList<CorruptedResult> results) =>
        [.. results.GroupBy(result => result.Name).Select(group => Mean(group.Key, [.. group]))];

    /// <summary>The mean over all corruptions.</summary>
    public static CorruptedResult Overall(IReadOnlyList<CorruptedResult> results) => Mean("mean", results);

    private static CorruptedResult Mean(string name, IReadOnlyList<CorruptedResult> results)
    {
        PrecisionResult[] precisions =
        [
            .. results[0].Precisions.Select((precision, i) => precision with
            {
                Top1 = results.Average(result => result.Precisions[i].Top1),
                Agreement = results.Average(result => result.Precisions[i].Agreement),
                // Decibels of different data have no meaningful mean.
                Outputs = [],
            }),
        ];
        return new CorruptedResult(name, null, results.Average(result => result.ReferenceTop1), precisions);
    }
}
