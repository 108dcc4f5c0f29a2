using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Sessions;
using static System.FormattableString;

namespace NestQuant.Benchmarks.Switching;

/// <summary>
/// Threads that run one session and switch it at random, for as long as it takes to find what happens once in many thousand runs: every
/// output is compared with that of its precision, byte for byte, and the process's memory is looked at all the while.
/// </summary>
/// <remarks>
/// Half of the runs choose their precision; their outputs must be those of it. The others take the session's, which any thread may switch
/// meanwhile; their outputs must be those of one precision, and never of two at once.
/// </remarks>
internal static class SoakBenchmark
{
    private const int Threads = 4, Inputs = 8, RunsPerSwitch = 8;

    // So many that the runtime has compiled the code of a reading for good, which takes memory too, well within those of the warm-up.
    private const int Readings = 1000, WarmUpReadings = 333;

    /// <summary>Runs the soak and prints what it found.</summary>
    /// <param name="modelPath">A compiled model of images.</param>
    /// <param name="runs">Runs of all threads together.</param>
    /// <returns>Whether all outputs were right.</returns>
    public static bool Run(string modelPath, int runs)
    {
        var options = new NestedSessionOptions { Configure = static session => session.IntraOpNumThreads = 1 };
        using NestedSession session = NestedSession.Open(modelPath, options);
        IReadOnlyDictionary<string, OrtValue>[] feeds = ImageFeeds.Create(session.InputMetadata, Inputs);
        byte[][][][] expected = [.. session.Precisions.Select(bits => Array.ConvertAll(feeds, feed => Outputs(session, feed, bits)))];

        var memory = new List<ProcessMemory>();
        int started = 0, wrong = 0, switches = 0;
        long start = Stopwatch.GetTimestamp();
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(seed => new Thread(() => Work(new Random(seed))))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;

        Console.Write(Invariant($"{Path.GetFileName(modelPath)}: {runs} runs by {Threads} threads in {seconds:F0} s, "));
        Console.WriteLine(Invariant($"{switches} switches, {wrong} wrong outputs"));
        Console.WriteLine("memory in MB after a third of the runs:");
        Print("resident", static now => now.Total);
        Print("anonymous", static now => now.Anonymous);
        return wrong == 0;

        void Print(string name, Func<ProcessMemory, long> part)
        {
            double[] steady = [.. memory.Skip(WarmUpReadings).Select(now => part(now) / 1e6)];
            int third = steady.Length / 3;
            double[] medians = [.. new[] { steady[..third], steady[third..^third], steady[^third..] }.Select(Statistics.Median)];
            double spread = 100 * (steady.Max() / steady.Min() - 1);
            Console.Write(Invariant($"{name}: least {steady.Min():F2}, most {steady.Max():F2}, {spread:F2} % more; medians of thirds "));
            Console.WriteLine(string.Join(", ", medians.Select(static median => Invariant($"{median:F2}"))));
        }

        void Work(Random random)
        {
            for (int run = Interlocked.Increment(ref started); run <= runs; run = Interlocked.Increment(ref started))
            {
                if (random.Next(RunsPerSwitch) == 0)
                {
                    session.SwitchTo(session.Precisions[random.Next(session.Precisions.Count)]);
                    Interlocked.Increment(ref switches);
                }

                int input = random.Next(Inputs), level = random.Next(session.Precisions.Count);
                bool isOwn = random.Next(2) == 0;
                byte[][] outputs = Outputs(session, feeds[input], isOwn ? session.Precisions[level] : null);
                bool isRight = isOwn
                    ? AreEqual(outputs, expected[level][input])
                    : Array.Exists(expected, ofLevel => AreEqual(outputs, ofLevel[input]));
                if (!isRight) Interlocked.Increment(ref wrong);
                if (run % Math.Max(1, runs / Readings) == 0)
                    lock (memory) memory.Add(ProcessMemory.Read());
            }
        }
    }

    private static byte[][] Outputs(NestedSession session, IReadOnlyDictionary<string, OrtValue> feed, int? bits)
    {
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(feed, bits: bits);
        return ImageFeeds.Bytes(outputs);
    }

    private static bool AreEqual(byte[][] left, byte[][] right) =>
        left.Zip(right, static (one, other) => one.AsSpan().SequenceEqual(other)).All(static isEqual => isEqual);
}
