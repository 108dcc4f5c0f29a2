using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Evaluation;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>What <c>evaluate</c> prints for people.</summary>
internal static class EvaluationTable
{
    public static void Write(CliConsole console, EvaluationResult result)
    {
        bool hasClasses = result.Precisions[0].Agreement is not null, hasSeveral = result.Precisions[0].Outputs.Count > 1;
        PlainTable table = new PlainTable().Number("bits");
        if (hasClasses) table.Number("top-1").Number("agreement");
        if (hasSeveral) table.Text("output");
        table.Number("SQNR dB").Number("cosine").Number("largest error");
        foreach (PrecisionResult precision in result.Precisions)
            foreach (OutputResult output in precision.Outputs)
                table.Row([.. Cells(precision, output, hasClasses, hasSeveral)]);
        table.Write(console);
        string top1 = result.ReferenceTop1 is null ? "" : $", whose top-1 is {Numbers.Percent(result.ReferenceTop1)}";
        console.Line($"{Numbers.Count(result.Samples)} samples; against {result.Reference}{top1}");
        foreach (IGrouping<string, OutputResult> masked in result.Precisions[0].Outputs
            .Where(output => output.MaskedBy is not null).GroupBy(output => output.MaskedBy!))
            console.Line($"without the positions where '{masked.Key}' is 0: {string.Join(", ", masked.Select(output => output.Name))}");
        if (result.Corruptions.Count > 0)
            CorruptionTable.Write(console, result.Corruptions);
    }

    // Classes are those of the first output.
    private static IEnumerable<string> Cells(PrecisionResult precision, OutputResult output, bool hasClasses, bool hasSeveral)
    {
        bool isFirst = output == precision.Outputs[0];
        yield return isFirst ? $"{precision.Bits}" : "";
        if (hasClasses)
        {
            yield return isFirst ? Numbers.Percent(precision.Top1) : "";
            yield return isFirst ? Numbers.Percent(precision.Agreement) : "";
        }

        if (hasSeveral)
            yield return output.Name;
        yield return Numbers.Decibels(output.SqnrDb);
        yield return Numbers.Cosine(output.Cosine);
        yield return Numbers.Significant(output.LargestError);
    }
}
