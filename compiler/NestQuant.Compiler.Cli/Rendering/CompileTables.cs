using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Compiler.Pipeline;
using NestQuant.Compiler.Reports;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Nesting;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>What <c>compile</c> prints: a row per decision about a weight, and the files written.</summary>
internal static class CompileTables
{
    private const int MostReasons = 3;

    /// <param name="console">Where to print.</param>
    /// <param name="report">What was done.</param>
    /// <param name="nests">Whether weights were to be nested: when none is, that is said.</param>
    public static void Write(CliConsole console, CompileReport report, bool nests)
    {
        Decision[] weights = [.. report.Decisions.Decisions.Where(decision => decision.Nesting is not null || !decision.Rewritten)];
        if (weights.Length > 0)
            WriteDecisions(console, weights);
        foreach (var pass in report.Decisions.Decisions.Where(d => d.Rewritten && d.Nesting is null).GroupBy(d => d.Pass))
            WritePass(console, pass.Key, [.. pass]);
        Decision[] nested = [.. weights.Where(decision => decision.Nesting is not null)];
        if (nested.Length > 0)
            WriteTotals(console, nested, weights.Count(decision => decision.Pass == nested[0].Pass));
        else if (nests)
            WriteNothingNested(console, [.. weights.Where(decision => decision.Pass == NestingPass.PassName)]);
        if (report.FloatWeights is { Bytes: > 0 } floats)
            WriteFloatWeights(console, floats);
        foreach (Decision lossy in report.Decisions.Decisions.Where(decision => decision.Warning is not null))
            console.Line($"warning: {lossy.Node}: {lossy.Warning}");
        if (report.Times is { IsSlower: true } times)
            WriteSlower(console, times);
        foreach (SavedFile file in report.Files)
            console.Line($"wrote {file.Path} ({Numbers.Count(file.Bytes)} bytes)");
    }

    private static void WriteTotals(CliConsole console, Decision[] nested, int candidates)
    {
        NestingNumbers[] numbers = [.. nested.Select(decision => decision.Nesting!)];
        var parts = LevelColumns.Of(numbers).Bytes
            .Select(column => $"{Numbers.Bytes(numbers.Sum(n => column.Value(n) ?? 0))} {column.Title}");
        console.Line(
            $"{nested.Length} of {candidates} candidates nested, {Numbers.Count(numbers.Sum(n => n.Weights))} weights: "
                + $"{Numbers.Bytes(numbers.Sum(n => n.SourceBytes))} -> {string.Join(" + ", parts)}");
    }

    private static void WriteFloatWeights(CliConsole console, FloatWeights floats)
    {
        console.Line($"{Numbers.Percent(floats.Share)} of all weight bytes stay float, {Numbers.Bytes(floats.Bytes)}");
        foreach (FloatWeightGroup group in floats.Groups.Take(MostReasons))
            console.Line($"  {Numbers.Bytes(group.Bytes)} in {group.Tensors}: {group.Reason}");
        if (floats.Groups.Count > MostReasons)
            console.Line($"  {Numbers.Bytes(floats.Groups.Skip(MostReasons).Sum(group => group.Bytes))} for other reasons, in the report");
    }

    private static void WriteSlower(CliConsole console, TimeEstimate times)
    {
        console.Line($"warning: likely slower than in float on one thread: nested layers take about");
        console.Line($"  {Microseconds(times.Nested)} us, in float {Microseconds(times.Float)}, since {times.Slower.Count} are small");
        console.Line($"  (--exclude leaves layers float):");
        foreach (LayerTime layer in times.Slower.Take(MostReasons))
            console.Line($"  {layer.Node}: {Microseconds(layer.Nested)} us instead of {Microseconds(layer.Float)}");
        if (times.Slower.Count > MostReasons)
            console.Line($"  {times.Slower.Count - MostReasons} more, in the report");
    }

    private static string Microseconds(double time) => Numbers.Count((long)Math.Round(time));

    private static void WriteNothingNested(CliConsole console, Decision[] candidates)
    {
        if (candidates.Length == 0)
        {
            console.Line($"nothing is nested: the model has no {NestingCandidate.OperatorsText} left to nest");
            return;
        }

        console.Line($"nothing is nested: 0 of {candidates.Length} candidates");
        var reasons = candidates.GroupBy(decision => decision.Reason!).OrderByDescending(group => group.Count()).ToArray();
        foreach (var reason in reasons.Take(MostReasons))
            console.Line($"  {reason.Count()} kept: {reason.Key}");
        if (reasons.Length > MostReasons)
            console.Line($"  {reasons.Skip(MostReasons).Sum(group => group.Count())} kept for other reasons, in the table above");
    }

    private static void WritePass(CliConsole console, string pass, Decision[] rewritten)
    {
        if (pass != GroupNLExpandPass.PassName && rewritten[0].Op != Decision.WholeModel)
        {
            console.Line($"{pass}: {Numbers.Count(rewritten.Length)} nodes rewritten");
            return;
        }

        foreach (Decision decision in rewritten)
        {
            if (decision.Op == Decision.WholeModel)
                console.Line($"{pass}: {decision.Note}");
            else
                console.Line($"{pass}: {decision.Node}: {decision.Note}");
        }
    }

    private static void WriteDecisions(CliConsole console, Decision[] decisions)
    {
        PlainTable table = new PlainTable()
            .Text("node")
            .Text("op")
            .Text("outcome", keepsStart: true);
        LevelColumns columns = LevelColumns.Of([.. decisions.Select(decision => decision.Nesting).OfType<NestingNumbers>()]);
        foreach (var (title, _) in columns.Decibels) table.Number(title);
        table.Number("bytes", rank: columns.Bytes.Count + 1);
        for (int i = 0; i < columns.Bytes.Count; i++) table.Number(columns.Bytes[i].Title, rank: columns.Bytes.Count - i);
        foreach (Decision decision in decisions)
        {
            if (decision.Nesting is { } nesting)
            {
                table.Row(
                [
                    decision.Node,
                    decision.Op,
                    $"nested {nesting.Bits}" + (decision.Note is null ? "" : $" ({decision.Note})"),
                    .. columns.Decibels.Select(column => column.Value(nesting) is { } ratio ? Numbers.Decibels(ratio) : ""),
                    Numbers.Count(nesting.SourceBytes),
                    .. columns.Bytes.Select(column => column.Value(nesting) is { } bytes ? Numbers.Count(bytes) : ""),
                ]);
            }
            else
            {
                string[] empty = [.. Enumerable.Repeat("", columns.Decibels.Count + 1 + columns.Bytes.Count)];
                table.Row([decision.Node, decision.Op, $"kept by {decision.Pass}: {decision.Reason}", .. empty]);
            }
        }

        table.Write(console);
    }
}
