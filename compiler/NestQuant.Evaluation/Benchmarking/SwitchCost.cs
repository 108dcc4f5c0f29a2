using NestQuant.Data;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>What a live session pays for a switch between its highest and its lowest precision.</summary>
internal static class SwitchCost
{
    private const int Switches = 9;
    private const int SteadyRuns = 3;

    /// <summary>Switches to and fro; null for a model that has one precision.</summary>
    public static SwitchResult? Measure(
        Bench.Subject subject, IReadOnlyList<NamedArray> inputs, BenchOptions options, CancellationToken cancellation)
    {
        if (subject.Precisions is not { Bits.Count: > 1 } precisions)
            return null;
        using ModelSession session = options.OpenSession(subject.Model, precisions);
        using PreparedRun full = session.Prepare(inputs, precisions.Highest), part = session.Prepare(inputs, precisions.Bits[^1]);
        Extra(full);
        Extra(part);
        var partToFull = new List<double>();
        var fullToPart = new List<double>();
        for (int i = 0; i < Switches; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            partToFull.Add(Extra(full));
            fullToPart.Add(Extra(part));
        }

        return new SwitchResult(Latency.Median(partToFull), Latency.Median(fullToPart));
    }

    /// <summary>Microseconds by which the first of a few runs exceeds the others.</summary>
    private static double Extra(PreparedRun run)
    {
        double first = run.Time().TotalMicroseconds;
        return first - Latency.Median(Enumerable.Range(0, SteadyRuns).Select(_ => run.Time().TotalMicroseconds));
    }
}
