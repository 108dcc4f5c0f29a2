using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>
/// Measures models side by side: latencies in one process, one run of each in turn, so that what disturbs the machine disturbs all;
/// memory in a process for each.
/// </summary>
/// <param name="options">How to measure.</param>
/// <param name="measureMemory">
/// Measures a model in a process that does nothing else: starts one that calls <see cref="ModelMemory.OfThisProcess"/> with the options
/// that it is given, which name files with the inputs, and returns what it found.
/// </param>
public sealed class Bench(BenchOptions options, Func<Bench.Subject, BenchOptions, ModelMemory> measureMemory)
{
    private const int WarmUpRuns = 3;
    private const int SessionsPerModel = 3;

    /// <summary>Told the number of runs done, of <see cref="TotalRuns"/>.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>Runs that <see cref="Run"/> makes for this many models and precisions.</summary>
    public static long TotalRuns(int contenders, BenchOptions options) => (long)contenders * (WarmUpRuns + options.Runs);

    /// <summary>A model and a precision to measure; null bits for a model without nested weights.</summary>
    public readonly record struct Subject(string Model, NestedPrecisions? Precisions, int? Bits);

    /// <summary>The subjects of a command line.</summary>
    /// <param name="model">The model; measured at each of its precisions, or at <paramref name="bits"/>.</param>
    /// <param name="others">Models to compare it with; each at all its precisions.</param>
    /// <param name="bits">Precisions asked for, or null.</param>
    /// <param name="load">What is allowed of external data.</param>
    /// <exception cref="ModelException">A file is not a model, or has no such precision.</exception>
    public static IReadOnlyList<Subject> Subjects(string model, IReadOnlyList<string> others, IReadOnlyList<int>? bits, LoadOptions load)
    {
        var subjects = new List<Subject>();
        foreach (string path in (IEnumerable<string>)[model, .. others])
        {
            NestedPrecisions? precisions = NestedPrecisions.Of(ModelFile.Load(path, load));
            IReadOnlyList<int>? wanted = path == model ? bits : null;
            foreach (int width in wanted ?? [])
                NestedPrecisions.Check(path, precisions, width);
            if (precisions is null)
                subjects.Add(new Subject(path, null, null));
            else
                subjects.AddRange((wanted ?? precisions.Bits).Select(width => new Subject(path, precisions, width)));
        }

        return subjects;
    }

    /// <summary>Measures; the subjects' inputs are those of the first.</summary>
    /// <exception cref="ModelException">The inputs do not fit a model.</exception>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">ONNX Runtime refuses a model or a run fails.</exception>
    public BenchResult Run(IReadOnlyList<Subject> subjects, CancellationToken cancellation)
    {
        IReadOnlyList<NamedArray> inputs = BenchInputs.Make(ModelFile.Load(subjects[0].Model, options.Load), options);
        double[] sessionMs = MeasureSessions(subjects, inputs, cancellation);
        ModelMemory[] memory = MeasureMemory(subjects, inputs);
        var contenders = new List<Contender>();
        try
        {
            foreach (Subject subject in subjects)
                contenders.Add(Open(subject, inputs));
            MeasureLatencies(contenders, cancellation);
            ModelResult[] results =
            [
                .. contenders.Select(
                    (contender, i) => new ModelResult(contender.Model, contender.Bits, contender.Latency, sessionMs[i], memory[i])),
            ];
            return new BenchResult(
                NestQuantOps.KernelTierName,
                options.Threads,
                options.Runs,
                results,
                SwitchCost.Measure(subjects[0], inputs, options, cancellation))
            {
                Nodes = options.Nodes ? NodeProfile.Measure(subjects[0], inputs, options, cancellation) : null,
            };
        }
        finally
        {
            contenders.ForEach(contender => contender.Dispose());
        }
    }

    private ModelMemory[] MeasureMemory(IReadOnlyList<Subject> subjects, IReadOnlyList<NamedArray> inputs)
    {
        using var files = new StoredInputs(inputs);
        BenchOptions stored = options with { Inputs = files.Paths };
        return [.. subjects.Select(subject => measureMemory(subject, stored))];
    }

    private Contender Open(Subject subject, IReadOnlyList<NamedArray> inputs) =>
        Contender.Open(subject.Model, subject.Precisions, subject.Bits, inputs, options);

    private double[] MeasureSessions(IReadOnlyList<Subject> subjects, IReadOnlyList<NamedArray> inputs, CancellationToken cancellation)
    {
        double[][] times = [.. subjects.Select(_ => new double[SessionsPerModel])];
        for (int round = 0; round < SessionsPerModel; round++)
        {
            for (int i = 0; i < subjects.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                using Contender contender = Open(subjects[i], inputs);
                times[i][round] = contender.LoadTime.TotalMilliseconds;
            }
        }

        return [.. times.Select(Latency.Median)];
    }

    private void MeasureLatencies(List<Contender> contenders, CancellationToken cancellation)
    {
        long done = 0;
        for (int round = -WarmUpRuns; round < options.Runs; round++)
        {
            for (int turn = 0; turn < contenders.Count; turn++)
            {
                cancellation.ThrowIfCancellationRequested();
                // Another one begins each round: no model always follows the same one's caches.
                Contender contender = contenders[(turn + round + WarmUpRuns) % contenders.Count];
                if (round < 0)
                    contender.Run();
                else
                    contender.CountedRun();
                Progress?.Invoke(++done);
            }
        }
    }
}
