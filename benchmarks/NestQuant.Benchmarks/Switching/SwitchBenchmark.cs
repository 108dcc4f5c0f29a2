using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Sessions;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Switching;

/// <summary>
/// What a switch costs: the call, the first run after it beyond a later one, bytes paged and resident memory, against what a host does that
/// has one model file per precision: dispose its session, and create one of the other file.
/// </summary>
internal static class SwitchBenchmark
{
    private const int LaterRuns = 3, WarmUpRounds = 2, SessionRounds = 20;

    /// <summary>Runs the benchmark and prints its tables.</summary>
    /// <param name="modelPath">A compiled model of images.</param>
    /// <param name="exports">Its QDQ exports, at full precision and at part.</param>
    /// <param name="rounds">Counted rounds of a switch down and one up.</param>
    public static void Run(string modelPath, IReadOnlyList<string> exports, int rounds)
    {
        var options = new NestedSessionOptions { Configure = static session => session.IntraOpNumThreads = 1 };
        using NestedSession session = NestedSession.Open(modelPath, options);
        IReadOnlyDictionary<string, OrtValue> feed = ImageFeeds.Create(session.InputMetadata, 1)[0];
        long paged = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Name == "nestquant.paged") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((_, bytes, _, _) => paged = bytes);
        listener.Start();

        (int full, int part) = (session.Precisions[0], session.Precisions[^1]);
        Console.WriteLine(Invariant($"{Path.GetFileName(modelPath)}, 1 thread, {rounds} rounds"));
        Console.WriteLine("| to | call us, median | p99 | first run - later ms, median | p99 | bytes | resident low MB | high MB |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        Samples down = new(), up = new();
        NestedMemory afterDown = session.Memory, afterUp = afterDown;
        long pagedDown = 0, pagedUp = 0;
        for (int round = -WarmUpRounds; round < rounds; round++)
        {
            if (round == 0) (down, up) = (new Samples(), new Samples());
            down.Add(() => session.SwitchTo(part), () => Run(session, feed));
            (pagedDown, afterDown) = (paged, session.Memory);
            up.Add(() => session.SwitchTo(full), () => Run(session, feed));
            (pagedUp, afterUp) = (paged, session.Memory);
        }

        Print(Invariant($"{part} bits"), down, pagedDown, afterDown);
        Print(Invariant($"{full} bits"), up, pagedUp, afterUp);
        if (exports.Count > 0) AgainstSessions(exports, feed, rounds);
    }

    /// <summary>A host that has a file per precision changes to each in turn.</summary>
    private static void AgainstSessions(IReadOnlyList<string> exports, IReadOnlyDictionary<string, OrtValue> feed, int rounds)
    {
        InferenceSession? current = null;
        Dictionary<string, Samples> samples = exports.ToDictionary(static export => export, static _ => new Samples());
        for (int round = 0; round < Math.Min(rounds, SessionRounds); round++)
            foreach (string export in exports)
                samples[export].Add(() => Replace(export), RunCurrent);
        current?.Dispose();
        foreach (string export in exports)
            Print(Invariant($"session of {Path.GetFileName(export)}"), samples[export], new FileInfo(export).Length, memory: null);

        void Replace(string export)
        {
            current?.Dispose();
            using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
            current = new InferenceSession(export, options);
        }

        void RunCurrent()
        {
            using var run = new RunOptions();
            current!.Run(run, feed, current.OutputNames).Dispose();
        }
    }

    private static void Run(NestedSession session, IReadOnlyDictionary<string, OrtValue> feed) => session.Run(feed).Dispose();

    private static void Print(string title, Samples samples, long bytes, NestedMemory? memory)
    {
        Console.Write(Invariant($"| {title} | {samples.Calls.Median * 1e3:F0} | {samples.Calls.P99 * 1e3:F0} "));
        Console.Write(Invariant($"| {samples.Extra.Median:F2} | {samples.Extra.P99:F2} | {bytes} "));
        Console.WriteLine(Invariant($"| {memory?.ResidentLow / 1e6:F2} | {memory?.ResidentHigh / 1e6:F2} |"));
    }

    /// <summary>Times of calls, and of first runs beyond the median of some later ones, in milliseconds.</summary>
    private sealed class Samples
    {
        public Times Calls { get; } = new();

        public Times Extra { get; } = new();

        public void Add(Action call, Action run)
        {
            Calls.Add(Time(call));
            double first = Time(run);
            Extra.Add(first - Statistics.Median(Enumerable.Range(0, LaterRuns).Select(_ => Time(run)).ToArray()));
        }

        private static double Time(Action action)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
    }

    private sealed class Times : List<double>
    {
        public double Median => Statistics.Median(this);

        public double P99 => this.Order().ElementAt((int)(0.99 * (Count - 1)));
    }
}
