using System.Globalization;
using System.Text;

namespace NestQuant.Security.Tests.Fuzzing;

/// <summary>Adds up what children report.</summary>
internal sealed class FuzzSummary
{
    private readonly Dictionary<(string Kind, string Step, string Detail), int> _counts = [];
    private readonly List<FuzzFailure> _failures = [];
    private readonly List<FuzzFailure> _foreign = [];
    private readonly SortedDictionary<int, int> _codes = [];

    /// <summary>The failures in the order of their first mutants.</summary>
    public IReadOnlyList<FuzzFailure> Failures => _failures;

    public int Mutants { get; private set; }

    /// <summary>
    /// Deaths, hangs and bombs that ONNX Runtime brings about with the mutant itself, outside of NestQuant's operators.
    /// </summary>
    public IReadOnlyList<FuzzFailure> Foreign => _foreign;

    /// <summary>The largest growth of the process during a command.</summary>
    public long Growth { get; private set; }

    /// <summary>Seed of the last mutant.</summary>
    public ulong Seed { get; private set; }

    /// <summary>The last step.</summary>
    public FuzzStep Step { get; private set; } = FuzzStep.Mutate;

    /// <summary>The exit code of the last step; null while it runs.</summary>
    public int? Code { get; private set; }

    /// <summary>Takes in a line of <see cref="ChildReport"/>.</summary>
    public void Read(string line)
    {
        string[] fields = line.Split('\t');
        switch (fields[0])
        {
            case ChildReport.MutantEvent:
                Seed = ulong.Parse(fields[1], CultureInfo.InvariantCulture);
                Step = FuzzStep.Mutate;
                Mutants++;
                break;
            case ChildReport.StepEvent:
                (Step, Code) = (new FuzzStep(fields[1], Enum.Parse<Answerable>(fields[2]), fields[3]), null);
                break;
            case ChildReport.ExitEvent:
                Code = int.Parse(fields[1], CultureInfo.InvariantCulture);
                _codes[Code.Value] = _codes.GetValueOrDefault(Code.Value) + 1;
                if (Step.IsCommand) Growth = Math.Max(Growth, long.Parse(fields[2], CultureInfo.InvariantCulture));
                break;
            case ChildReport.FailureEvent:
                Add(new FuzzFailure(fields[1], fields[3], fields[2], Seed, fields[4]));
                break;
            default:
                throw new InvalidOperationException($"the child process wrote '{line}'");
        }
    }

    /// <summary>Counts a failure in the last step.</summary>
    public void AddFailure(string kind, string detail) => Add(InLastStep(kind, detail));

    /// <summary>Notes what ended inside ONNX Runtime in the last step.</summary>
    public void AddForeign(string kind, string detail) => _foreign.Add(InLastStep(kind, detail));

    /// <summary>All figures in one line.</summary>
    public string Figures(TimeSpan elapsed)
    {
        string codes = string.Join(", ", _codes.Select(static pair => $"{pair.Key}: {pair.Value}"));
        string[] figures =
        [
            FormattableString.Invariant($"{Mutants} mutants in {elapsed.TotalSeconds:F0} s ({Mutants / elapsed.TotalSeconds:F1}/s)"),
            $"exit codes {codes}",
            $"{Count("exit 3")} internal errors, {Count("death")} deaths, {Count("hang")} hangs, {Count("memory")} over the memory limit",
            $"{Count("")} failures of {_failures.Count} kinds",
            $"largest growth {Growth >> 20} MiB",
            $"{_foreign.Count} ends inside ONNX Runtime",
        ];
        return string.Join("; ", figures);
    }

    /// <summary>A paragraph for each kind of failure.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        foreach (FuzzFailure failure in _failures)
            Append(text, failure.ToString(), $"{_counts[(failure.Kind, failure.Step, failure.Detail)]} times, first with ", failure);
        foreach (FuzzFailure end in _foreign) Append(text, $"inside ONNX Runtime: {end}", "", end);
        return text.ToString();
    }

    private static void Append(StringBuilder text, string what, string count, FuzzFailure failure) =>
        text.Append(CultureInfo.InvariantCulture, $"{what} ({count}--seed {failure.Seed} --count 1)\n    {failure.Command}\n");

    private FuzzFailure InLastStep(string kind, string detail) => new(kind, Step.Kind, detail, Seed, Step.Command);

    private void Add(FuzzFailure failure)
    {
        (string, string, string) key = (failure.Kind, failure.Step, failure.Detail);
        if (!_counts.TryGetValue(key, out int count)) _failures.Add(failure);
        _counts[key] = count + 1;
    }

    private int Count(string kind) =>
        _counts.Where(pair => pair.Key.Kind.StartsWith(kind, StringComparison.Ordinal)).Sum(static pair => pair.Value);
}
