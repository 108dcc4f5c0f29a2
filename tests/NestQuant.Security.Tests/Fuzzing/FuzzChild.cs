using System.Diagnostics;
using System.Globalization;
using NestQuant.Security.Tests.Fuzzing.Corpora;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>The process that does what may end it.</summary>
/// <param name="Corpus">Folder of the good models.</param>
/// <param name="Work">Folder to work in.</param>
/// <param name="Seed">First mutant.</param>
/// <param name="Count">Most mutants; 0 for as many as the time allows.</param>
/// <param name="Seconds">How long.</param>
/// <param name="Probe">What of the mutant itself is tried in ONNX Runtime instead of every step; null for every step.</param>
internal sealed record FuzzChild(string Corpus, string Work, ulong Seed, int Count, double Seconds, Answerable? Probe)
{
    /// <summary>The first argument of such a process.</summary>
    public const string Verb = "fuzz-child";

    public string[] Arguments => [Verb, Corpus, Work, Text(Seed), Text(Count), Text(Seconds), $"{Probe}"];

    public static FuzzChild Parse(string[] args) => new(
        args[1],
        args[2],
        ulong.Parse(args[3], CultureInfo.InvariantCulture),
        int.Parse(args[4], CultureInfo.InvariantCulture),
        double.Parse(args[5], CultureInfo.InvariantCulture),
        args[6].Length == 0 ? null : Enum.Parse<Answerable>(args[6]));

    /// <summary>Makes and runs mutants until the time is over.</summary>
    public int Execute(TextWriter output)
    {
        long start = Stopwatch.GetTimestamp();
        var corpus = new Corpus(Corpus);
        var report = new ChildReport(output);
        for (ulong i = 0; (Count == 0 || i < (ulong)Count) && Stopwatch.GetElapsedTime(start).TotalSeconds < Seconds; i++)
        {
            report.Mutant(Seed + i);
            var run = new MutantRun(Mutant.Create(corpus, Seed + i), Work, report);
            if (Probe is { } probe) run.Probe(probe);
            else run.Execute();
        }

        return 0;
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
