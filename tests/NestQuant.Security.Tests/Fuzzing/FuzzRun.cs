using System.Diagnostics;
using System.Globalization;
using NestQuant.Security.Tests.Fuzzing.Corpora;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>Feeds damaged models to the tool and to the operators, in child processes that may die.</summary>
internal sealed class FuzzRun(FuzzOptions options) : IDisposable
{
    private const long MostMemory = 2L << 30;
    private const string MostManagedMemory = "0x40000000";

    private static readonly TimeSpan s_longestStep = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("nestquant-fuzz-").FullName;
    private readonly SupervisedProcess _process = new(s_longestStep, s_longestWait, MostMemory);
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    private string CorpusFolder => Path.Combine(_folder, "corpus");

    private string WorkFolder => Path.Combine(_folder, "work");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Runs until the time is over.</summary>
    /// <returns>What was found, and the figures in one line.</returns>
    public (FuzzSummary Summary, string Figures) Execute()
    {
        Corpus corpus = CorpusBuilder.Build(CorpusFolder);
        var summary = new FuzzSummary();
        ulong seed = options.Seed;
        while (Remaining(seed) is { } count && !RunChild(summary, seed, count, probe: null)) seed = summary.Seed + 1;
        Keep(corpus, summary);
        return (summary, summary.Figures(_clock.Elapsed));
    }

    /// <summary>The most mutants that are left to make, 0 for any number; null when the run is over.</summary>
    private int? Remaining(ulong seed)
    {
        int done = (int)(seed - options.Seed);
        if (_clock.Elapsed >= options.Duration || (options.Count > 0 && done >= options.Count)) return null;
        return options.Count == 0 ? 0 : options.Count - done;
    }

    /// <summary>Runs a child to its end; false when that was not its own.</summary>
    private bool RunChild(FuzzSummary summary, ulong seed, int count, Answerable? probe)
    {
        double seconds = probe is null ? (options.Duration - _clock.Elapsed).TotalSeconds : double.MaxValue;
        var child = new FuzzChild(CorpusFolder, WorkFolder, seed, count, seconds, probe);
        var start = new ProcessStartInfo("dotnet");
        start.ArgumentList.Add(typeof(FuzzRun).Assembly.Location);
        foreach (string argument in child.Arguments) start.ArgumentList.Add(argument);
        start.Environment["DOTNET_GCHeapHardLimit"] = MostManagedMemory;
        // Internal errors are printed with the place where they arose.
        start.Environment["NESTQUANT_DEBUG"] = "1";
        int before = summary.Mutants;
        (ProcessEnd end, int code, string error) = _process.Run(start, summary.Read);
        if (end == ProcessEnd.Finished) return true;
        if (summary.Mutants == before) throw new InvalidOperationException($"the child process does not start: exit code {code}: {error}");
        if (probe is null) Record(summary, end, code, error);
        return false;
    }

    private void Record(FuzzSummary summary, ProcessEnd end, int code, string error)
    {
        string frame = FaultText.TopFrame(error);
        bool isOurs = FaultText.IsInProject(error) || summary.Step.Answerable switch
        {
            Answerable.Always => true,
            Answerable.Never => false,
            Answerable condition => RunChild(new FuzzSummary(), summary.Seed, count: 1, condition),
        };
        string reason = error.Split('\n').FirstOrDefault(static line => line.Length > 0) ?? "";
        (string kind, string detail) = end switch
        {
            ProcessEnd.Hung => ("hang", string.Create(CultureInfo.InvariantCulture, $"longer than {s_longestStep.TotalSeconds} s")),
            ProcessEnd.TooLarge => ("memory", "the process was stopped"),
            _ => ("death", string.Create(CultureInfo.InvariantCulture, $"exit code {code}, {FaultText.Of(reason)} at {frame}")),
        };
        if (isOurs) summary.AddFailure(kind, detail);
        else summary.AddForeign(kind, detail);
    }

    /// <summary>Writes the first mutant of every failure, with what was run on it.</summary>
    private void Keep(Corpus corpus, FuzzSummary summary)
    {
        if (options.Keep is not { } keep) return;
        foreach (IGrouping<ulong, FuzzFailure> failures in summary.Failures.Concat(summary.Foreign).GroupBy(static failure => failure.Seed))
        {
            string folder = Path.Combine(Path.GetFullPath(keep), failures.Key.ToString(CultureInfo.InvariantCulture));
            var mutant = Mutant.Create(corpus, failures.Key);
            mutant.Write(folder);
            File.Copy(mutant.Original.InputPath, Path.Combine(folder, CorpusModel.InputName), overwrite: true);
            File.Copy(mutant.Original.ModelPath, Path.Combine(folder, "original.onnx"), overwrite: true);
            string damage = $"{mutant.Original.Name}: {string.Join(", ", mutant.Mutations)}";
            IEnumerable<string> lines = failures.Select(failure => $"{failure}\n    {Local(failure.Command, mutant, folder)}");
            File.WriteAllLines(Path.Combine(folder, "failures.txt"), [damage, .. lines]);
        }
    }

    /// <summary>A command line with the folder in which the mutant is kept.</summary>
    private string Local(string command, Mutant mutant, string folder) => command
        .Replace(Path.Combine(WorkFolder, "source"), folder, StringComparison.Ordinal)
        .Replace(Path.Combine(WorkFolder, "out"), Path.Combine(folder, "out"), StringComparison.Ordinal)
        .Replace(mutant.Original.InputPath, Path.Combine(folder, CorpusModel.InputName), StringComparison.Ordinal)
        .Replace(mutant.Original.ModelPath, Path.Combine(folder, "original.onnx"), StringComparison.Ordinal);
}
