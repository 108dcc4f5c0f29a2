using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Sessions;
using NestQuant.RuntimeOps.Sessions.Policies;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Switching;

/// <summary>
/// A day of a device in a minute or so: memory that other programs leave rises and falls, <see cref="MemoryPolicy"/> switches a real
/// session, and resident weights and latency are what they are. Only the clock and the available memory are simulated.
/// </summary>
internal static class DayBenchmark
{
    private const int StepsPerHour = 12, Steps = 24 * StepsPerHour, RunsPerStep = 5;

    private static readonly TimeSpan Step = TimeSpan.FromHours(1.0 / StepsPerHour);

    /// <summary>Runs the day and writes its chart.</summary>
    /// <param name="modelPath">A compiled model of images.</param>
    /// <param name="chartPath">The SVG file to write.</param>
    public static void Run(string modelPath, string chartPath)
    {
        string system = Directory.CreateTempSubdirectory("nestquant-day").FullName;
        Directory.CreateDirectory(Path.Combine(system, "proc"));
        try
        {
            var clock = new StepClock();
            // The device samples its memory every five minutes here, so two quiet samples are enough to be patient for.
            var policy = new MemoryPolicy(new MemoryReader(system), clock) { Patience = 2 * Step };
            var options = new NestedSessionOptions { Configure = static session => session.IntraOpNumThreads = 1 };
            using NestedSession session = NestedSession.Open(modelPath, options);
            IReadOnlyDictionary<string, OrtValue> feed = ImageFeeds.Create(session.InputMetadata, 1)[0];
            for (int run = 0; run < 4 * RunsPerStep; run++) session.Run(feed).Dispose();
            DayStep[] day = Array.ConvertAll(SimulatedDay.Available(Steps), available =>
            {
                SetAvailable(system, available);
                clock.Advance(Step);
                int bits = policy.Choose(session.Precisions, session.Bits);
                if (bits != session.Bits) session.SwitchTo(bits);
                double[] milliseconds = [.. Enumerable.Range(0, RunsPerStep).Select(_ => Time(session, feed))];
                NestedMemory memory = session.Memory;
                return new DayStep(
                    available, bits, (memory.ResidentHigh ?? 0) / 1e6, (memory.ResidentLow ?? 0) / 1e6, milliseconds[0],
                    Statistics.Median(milliseconds));
            });
            File.WriteAllText(chartPath, DayChart.Draw(day, policy.Low, policy.High));
            Print(Path.GetFileName(modelPath), day);
        }
        finally
        {
            Directory.Delete(system, recursive: true);
        }
    }

    private static void Print(string model, DayStep[] day)
    {
        Console.WriteLine(Invariant(
            $"{model}: {day.Zip(day.Skip(1)).Count(static pair => pair.First.Bits != pair.Second.Bits)} switches in {Steps} steps"));
        Console.WriteLine("| bits | share of the day | resident weights MB | median ms | longest first run of a step, ms |");
        Console.WriteLine("| --- | --- | --- | --- | --- |");
        foreach (IGrouping<int, DayStep> level in day.GroupBy(static step => step.Bits).OrderByDescending(static level => level.Key))
            Console.WriteLine(Invariant(
                $"| {level.Key} | {100.0 * level.Count() / Steps:F0} % | {level.Average(static step => step.High + step.Low):F2} ")
                + Invariant($"| {Statistics.Median(level.Select(static step => step.Median)):F2} ")
                + Invariant($"| {level.Max(static step => step.First):F2} |"));
    }

    private static double Time(NestedSession session, IReadOnlyDictionary<string, OrtValue> feed)
    {
        long start = Stopwatch.GetTimestamp();
        session.Run(feed).Dispose();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static void SetAvailable(string system, double share)
    {
        const long total = 1_000_000;
        File.WriteAllText(
            Path.Combine(system, "proc", "meminfo"),
            string.Create(CultureInfo.InvariantCulture, $"MemTotal: {total} kB\nMemAvailable: {(long)(share * total)} kB\n"));
    }

    /// <summary>Time that passes when it is told to.</summary>
    private sealed class StepClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }
}
