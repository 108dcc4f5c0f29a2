using NestQuant.Compiler.Onnx;
using NestQuant.Compiler.Pipeline;
using NestQuant.Compiler.Reports;
using NestQuant.Passes.GroupNL;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>What <c>compile</c> prints: a row per decision about a weight, and the files written.</summary>
internal static class CompileTables
{
    public static void Write(CliConsole console, CompileReport report)
    {
        Decision[] weights = [.. report.Decisions.Decisions.Where(decision => decision.Nesting is not null || !decision.Rewritten)];
        if (weights.Length > 0)
            WriteDecisions(console, weights);
        foreach (var pass in report.Decisions.Decisions.Where(d => d.Rewritten && d.Nesting is null).GroupBy(d => d.Pass))
            WritePass(console, pass.Key, [.. pass]);
        Decision[] nested = [.. weights.Where(decision => decision.Nesting is not null)];
        if (nested.Length > 0)
        {
            NestingNumbers[] numbers = [.. nested.Select(decision => decision.Nesting!)];
            console.Out.WriteLine(
                $"{nested.Length} of {weights.Count(decision => decision.Pass == nested[0].Pass)} candidates nested, {Numbers.Count(numbers.Sum(n => n.Weights))} weights: "
                + $"{Numbers.Bytes(numbers.Sum(n => n.SourceBytes))} -> {Numbers.Bytes(numbers.Sum(n => n.HighBytes))} high "
                + $"+ {Numbers.Bytes(numbers.Sum(n => n.LowBytes))} low");
        }

        foreach (Decision lossy in report.Decisions.Decisions.Where(decision => decision.Warning is not null))
            console.Out.WriteLine($"warning: {lossy.Node}: {lossy.Warning}");
        foreach (SavedFile file in report.Files)
            console.Out.WriteLine($"wrote {file.Path} ({Numbers.Count(file.Bytes)} bytes)");
    }

    private static void WritePass(CliConsole console, string pass, Decision[] rewritten)
    {
        if (pass != GroupNLExpandPass.PassName)
        {
            console.Out.WriteLine($"{pass}: {Numbers.Count(rewritten.Length)} nodes rewritten");
            return;
        }

        foreach (Decision decision in rewritten)
            console.Out.WriteLine(decision.Op == GroupNLExpandPass.Summary ? $"{pass}: {decision.Note}" : $"{pass}: {decision.Node}: {decision.Note}");
    }

    private static void WriteDecisions(CliConsole console, Decision[] decisions)
    {
        PlainTable table = new PlainTable().Text("node").Text("op").Text("outcome").Number("full dB").Number("part dB").Number("bytes").Number("high").Number("low");
        foreach (Decision decision in decisions)
        {
            if (decision.Nesting is { } nesting)
            {
                table.Row(
                    decision.Node,
                    decision.Op,
                    $"nested {nesting.Full}:{nesting.High}" + (decision.Note is null ? "" : $" ({decision.Note})"),
                    Numbers.Decibels(nesting.SqnrFullDb),
                    Numbers.Decibels(nesting.SqnrPartDb),
                    Numbers.Count(nesting.SourceBytes),
                    Numbers.Count(nesting.HighBytes),
                    Numbers.Count(nesting.LowBytes));
            }
            else
            {
                table.Row(decision.Node, decision.Op, $"kept: {decision.Reason}", "", "", "", "", "");
            }
        }

        table.Write(console);
    }
}
