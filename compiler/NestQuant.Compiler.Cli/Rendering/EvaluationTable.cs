using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Evaluation;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>What <c>evaluate</c> prints for people.</summary>
internal static class EvaluationTable
{
    public static void Write(CliConsole console, EvaluationResult result)
    {
        PlainTable table = new PlainTable().Number("bits").Number("top-1").Number("agreement").Number("SQNR dB");
        foreach (PrecisionResult precision in result.Precisions)
        {
            table.Row(
                $"{precision.Bits}",
                Numbers.Percent(precision.Top1),
                Numbers.Percent(precision.Agreement),
                Numbers.Decibels(precision.SqnrDb));
        }

        table.Write(console);
        string top1 = result.ReferenceTop1 is null ? "" : $", whose top-1 is {Numbers.Percent(result.ReferenceTop1)}";
        console.Line($"{Numbers.Count(result.Samples)} samples; agreement and SQNR are against {result.Reference}{top1}");
        if (result.Corruptions.Count > 0)
            CorruptionTable.Write(console, result.Corruptions);
    }
}
