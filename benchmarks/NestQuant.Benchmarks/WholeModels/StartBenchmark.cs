using System.Diagnostics;
using System.Globalization;
using System.Runtime;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Benchmarks.CompileSpeed;
using NestQuant.Benchmarks.Switching;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Sessions;
using static System.FormattableString;

namespace NestQuant.Benchmarks.WholeModels;

/// <summary>
/// What a .NET process computes until a model has run for the first time, step by step: milliseconds of processor time and methods that
/// are compiled at run time, with the operators in process and one thread.
/// </summary>
internal static class StartBenchmark
{
    /// <summary>The command of a measured process.</summary>
    public const string Once = "start-once";

    private const int Processes = 7, LaterRuns = 200;
    private static readonly string[] Names = ["ONNX Runtime", "registration", "session", "first run", "second run", "later run"];

    /// <summary>Measures processes, each once, and prints a table in Markdown of their medians.</summary>
    /// <param name="modelPath">A compiled model of images.</param>
    /// <param name="isWarm">Whether a <see cref="NestedSession"/> warms up. It also registers, again.</param>
    public static void Run(string modelPath, bool isWarm)
    {
        using SessionOptions options = new SessionOptions().RegisterNestQuantOps();
        using InferenceSession session = new(modelPath, options);
        (string name, OrtValue value) = ImageFeeds.Create(session.InputMetadata, 1)[0].Single();
        string shape = string.Join(',', value.GetTensorTypeAndShape().Shape);
        // The program itself, or the runtime, which gets the program's assembly.
        string host = Environment.ProcessPath!;
        string[] program = Path.GetFileNameWithoutExtension(host) == "dotnet" ? [typeof(StartBenchmark).Assembly.Location] : [];
        double[][][] measured =
        [
            .. Enumerable.Range(0, Processes).Select(_ => Parse(
                MeasuredProcess.Run(host, [.. program, Once, modelPath, name, shape, isWarm.ToString()]).Output)),
        ];
        Console.WriteLine("| step | ms | methods |\n| --- | --- | --- |");
        for (int step = 0; step < Names.Length; step++)
        {
            double[] medians = [.. Enumerable.Range(0, 2).Select(part => Statistics.Median(measured.Select(all => all[step][part])))];
            Console.WriteLine(Invariant($"| {Names[step]} | {medians[0]:F2} | {medians[1]:F0} |"));
        }
    }

    /// <summary>Measures this process and prints a line for each step.</summary>
    public static void RunOnce(string modelPath, string inputName, string inputShape, bool isWarm)
    {
        long[] shape = Array.ConvertAll(inputShape.Split(','), static text => long.Parse(text, CultureInfo.InvariantCulture));
        float[] values = ImageFeeds.Values(new Random(1), shape);
        List<Reading> steps = [];
        // What reads is compiled before.
        Reading last = Reading.Now();
        Add();
        steps.Clear();
        Restart();

        _ = OrtEnv.Instance();
        using SessionOptions options = new() { IntraOpNumThreads = 1 };
        Add();
        options.RegisterNestQuantOps();
        Add();
        using OrtValue input = OrtValue.CreateTensorValueFromMemory(values, shape);
        Dictionary<string, OrtValue> feed = new(StringComparer.Ordinal) { [inputName] = input };
        NestedSessionOptions nestedOptions = new() { Configure = static own => own.IntraOpNumThreads = 1, WarmUp = feed };
        using RunOptions runOptions = new();
        Restart();
        using NestedSession? nested = isWarm ? NestedSession.Open(modelPath, nestedOptions) : null;
        using InferenceSession? session = isWarm ? null : new(modelPath, options);
        Add();
        RunModel();
        Add();
        RunModel();
        Add();
        // Until methods that are called often have been compiled again.
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(3);) RunModel();
        Restart();
        for (int run = 0; run < LaterRuns; run++) RunModel();
        Add();
        steps[^1] = steps[^1] with { Ms = steps[^1].Ms / LaterRuns };
        foreach (Reading step in steps) Console.WriteLine(Invariant($"{step.Ms} {step.Methods}"));

        void Restart() => last = Reading.Now();

        void Add()
        {
            steps.Add(Reading.Now() - last);
            Restart();
        }

        void RunModel()
        {
            if (nested is not null) nested.Run(feed).Dispose();
            else session!.Run(runOptions, feed, session.OutputNames).Dispose();
        }
    }

    private static double[][] Parse(string lines) =>
    [
        .. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => Array.ConvertAll(line.Split(' '), static text => double.Parse(text, CultureInfo.InvariantCulture))),
    ];

    private readonly record struct Reading(double Ms, double Methods)
    {
        public static Reading operator -(Reading left, Reading right) => new(left.Ms - right.Ms, left.Methods - right.Methods);

        public static Reading Now() => new(Environment.CpuUsage.TotalTime.TotalMilliseconds, JitInfo.GetCompiledMethodCount());
    }
}
