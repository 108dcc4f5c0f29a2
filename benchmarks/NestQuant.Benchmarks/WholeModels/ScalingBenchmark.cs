using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Benchmarks.Switching;
using NestQuant.RuntimeOps;
using static System.FormattableString;

namespace NestQuant.Benchmarks.WholeModels;

/// <summary>
/// What a second core is worth, to one session with more threads and to as many sessions with one thread each that run at the same time:
/// the nested model beside its QDQ form in ONNX Runtime, in one process.
/// </summary>
internal static class ScalingBenchmark
{
    private const int Rounds = 15;
    private const double SecondsPerRound = 0.4;

    /// <summary>Runs the benchmark and prints a table in Markdown.</summary>
    /// <param name="nestquant">The command-line tool's assembly.</param>
    /// <param name="models">Names of generated models, or paths of ONNX files of images.</param>
    public static void Run(string nestquant, IReadOnlyList<string> models)
    {
        int cores = Environment.ProcessorCount;
        var tool = new CommandLineTool(nestquant);
        Console.Write(Invariant($"{cores} cores; runs per second, median and best of {Rounds} interleaved rounds; "));
        Console.WriteLine("in parentheses to one session with one thread");
        Console.WriteLine();
        Console.Write("| model | form | 1 session, 1 thread | ");
        Console.WriteLine(Invariant($"1 session, {cores} threads | {cores} sessions, 1 thread each |"));
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        foreach (string model in models)
        {
            string folder = Directory.CreateTempSubdirectory("nestquant-bench").FullName;
            try
            {
                (_, string nested, string qdq) = WholeModelBenchmark.Prepare(tool, model, folder);
                Measure(Path.GetFileNameWithoutExtension(model), [("nested, 8 bits", nested), ("ORT int8 (QDQ)", qdq)], cores);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static void Measure(string model, (string Name, string Path)[] forms, int cores)
    {
        (int Threads, int Sessions)[] ways = [(1, 1), (cores, 1), (1, cores)];
        Runner[][] runners = [.. forms.Select(form => ways.Select(way => new Runner(form.Path, way.Threads, way.Sessions)).ToArray())];
        var rates = runners.SelectMany(static ofForm => ofForm).ToDictionary(static runner => runner, static _ => new List<double>());
        for (int round = 0; round < Rounds; round++)
        {
            foreach ((Runner runner, List<double> measured) in rates) measured.Add(runner.Rate(SecondsPerRound));
        }

        for (int form = 0; form < forms.Length; form++)
        {
            double[] medians = [.. runners[form].Select(runner => Statistics.Median(rates[runner]))];
            double[] best = [.. runners[form].Select(runner => rates[runner].Max())];
            string[] cells =
            [
                .. medians.Zip(best, (median, most) =>
                    Invariant($"{median:F1}, {most:F1} ({median / medians[0]:F2}, {most / best[0]:F2})")),
            ];
            Console.WriteLine($"| {model} | {forms[form].Name} | {string.Join(" | ", cells)} |");
        }

        foreach (Runner runner in rates.Keys) runner.Dispose();
    }

    /// <summary>Sessions of one model, each run by a thread of its own.</summary>
    private sealed class Runner : IDisposable
    {
        private readonly InferenceSession[] _sessions;
        private readonly IReadOnlyDictionary<string, OrtValue> _feed;

        public Runner(string model, int threads, int sessions)
        {
            using SessionOptions options = new SessionOptions
            {
                IntraOpNumThreads = threads,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            }.RegisterNestQuantOps();
            _sessions = [.. Enumerable.Range(0, sessions).Select(_ => new InferenceSession(model, options))];
            _feed = ImageFeeds.Create(_sessions[0].InputMetadata, 1)[0];
            Rate(SecondsPerRound / 2);
        }

        /// <summary>Runs per second of all sessions together.</summary>
        public double Rate(double seconds)
        {
            int runs = 0;
            using Barrier start = new(_sessions.Length + 1);
            Thread[] threads = [.. _sessions.Select(session => new Thread(() => Work(session)))];
            foreach (Thread thread in threads) thread.Start();
            start.SignalAndWait();
            long from = Stopwatch.GetTimestamp();
            foreach (Thread thread in threads) thread.Join();
            return runs / Stopwatch.GetElapsedTime(from).TotalSeconds;

            void Work(InferenceSession session)
            {
                start.SignalAndWait();
                for (long began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began).TotalSeconds < seconds;)
                {
                    using RunOptions options = new();
                    using (session.Run(options, _feed, session.OutputNames)) Interlocked.Increment(ref runs);
                }
            }
        }

        public void Dispose()
        {
            foreach (InferenceSession session in _sessions) session.Dispose();
        }
    }
}
