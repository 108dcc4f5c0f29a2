using System.Text.Json;
using NestQuant.Compiler.Reports;
using NestQuant.Evaluation;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>
/// The part of <c>evaluate</c>'s JSON form about corruptions: each severity, the means per corruption, and the mean of all.
/// </summary>
internal static class CorruptionJson
{
    public static void Write(Utf8JsonWriter json, IReadOnlyList<CorruptedResult> results)
    {
        WriteArray(json, "corruptions", results);
        WriteArray(json, "corruption_means", CorruptionMeans.PerCorruption(results));
        json.WriteStartObject("mean_corruption");
        WriteFigures(json, CorruptionMeans.Overall(results));
        json.WriteEndObject();
    }

    private static void WriteArray(Utf8JsonWriter json, string name, IReadOnlyList<CorruptedResult> results)
    {
        json.WriteStartArray(name);
        foreach (CorruptedResult result in results)
        {
            json.WriteStartObject();
            json.WriteString("name", result.Name);
            if (result.Severity is { } severity)
                json.WriteNumber("severity", severity);
            WriteFigures(json, result);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFigures(Utf8JsonWriter json, CorruptedResult result)
    {
        json.WriteStartObject("reference");
        EvaluationJson.WriteShare(json, "top1", result.ReferenceTop1);
        json.WriteEndObject();
        json.WriteStartArray("precisions");
        foreach (PrecisionResult precision in result.Precisions)
        {
            json.WriteStartObject();
            json.WriteNumber("bits", precision.Bits);
            EvaluationJson.WriteShare(json, "top1", precision.Top1);
            EvaluationJson.WriteShare(json, "agreement", precision.Agreement);
            if (precision.Outputs.Count > 0)
                DecisionJson.WriteDecibels(json, "sqnr_db", precision.SqnrDb);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
