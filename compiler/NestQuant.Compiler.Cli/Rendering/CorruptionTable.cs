using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Evaluation;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>What <c>evaluate --corrupt</c> prints for people: a row per corruption and severity, then the means.</summary>
internal static class CorruptionTable
{
    public static void Write(CliConsole console, IReadOnlyList<CorruptedResult> results)
    {
        // Without labels there is agreement only, without classes neither.
        bool labelled = results[0].ReferenceTop1 is not null;
        PlainTable table = new PlainTable().Text("corruption").Text("severity");
        if (labelled)
            table.Number("reference top-1");
        foreach (PrecisionResult precision in results[0].Precisions)
        {
            if (labelled)
                table.Number($"{precision.Bits}-bit top-1");
            table.Number($"{precision.Bits}-bit {(precision.Agreement is null ? "SQNR dB" : "agreement")}", rank: labelled ? 1 : 0);
        }

        foreach (IGrouping<string, CorruptedResult> group in results.GroupBy(result => result.Name))
        {
            CorruptedResult[] severities = [.. group];
            foreach (CorruptedResult result in severities)
                table.Row(Cells(result, $"{result.Severity}", labelled));
            if (severities.Length > 1)
                table.Row(Cells(CorruptionMeans.PerCorruption(severities)[0], "mean", labelled));
        }

        table.Row(Cells(CorruptionMeans.Overall(results) with { Name = "all" }, "mean", labelled));
        table.Write(console);
    }

    private static string[] Cells(CorruptedResult result, string severity, bool labelled)
    {
        var cells = new List<string> { result.Name, severity };
        if (labelled)
            cells.Add(Numbers.Percent(result.ReferenceTop1));
        foreach (PrecisionResult precision in result.Precisions)
        {
            if (labelled)
                cells.Add(Numbers.Percent(precision.Top1));
            cells.Add(precision.Agreement is null ? Numbers.Decibels(precision.SqnrDb) : Numbers.Percent(precision.Agreement));
        }

        return [.. cells];
    }
}
