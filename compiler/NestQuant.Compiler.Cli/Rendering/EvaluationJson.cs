using System.Text.Json;
using NestQuant.Compiler.Reports;
using NestQuant.Evaluation;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>
/// The stable JSON form of <c>evaluate</c>. Shares are 0 to 1; <c>top1</c> is null without labels, as is <c>agreement</c> without classes;
/// <c>sqnr_db</c> is null for equal outputs, and that of a precision is the least of its outputs.
/// </summary>
internal static class EvaluationJson
{
    private const int Decimals = 6;

    public static string Write(EvaluationResult result) => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("samples", result.Samples);
        json.WriteStartObject("reference");
        json.WriteString("kind", result.Reference.Kind);
        if (result.Reference.Model is { } model)
            json.WriteString("model", model);
        if (result.Reference.Bits is { } bits)
            json.WriteNumber("bits", bits);
        WriteShare(json, "top1", result.ReferenceTop1);
        json.WriteEndObject();
        json.WriteStartArray("precisions");
        foreach (PrecisionResult precision in result.Precisions)
        {
            json.WriteStartObject();
            json.WriteNumber("bits", precision.Bits);
            WriteShare(json, "top1", precision.Top1);
            WriteShare(json, "agreement", precision.Agreement);
            DecisionJson.WriteDecibels(json, "sqnr_db", precision.SqnrDb);
            json.WriteStartArray("outputs");
            foreach (OutputResult output in precision.Outputs)
                WriteOutput(json, output);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (result.Corruptions.Count > 0)
            CorruptionJson.Write(json, result.Corruptions);
        json.WriteEndObject();
    });

    private static void WriteOutput(Utf8JsonWriter json, OutputResult output)
    {
        json.WriteStartObject();
        json.WriteString("name", output.Name);
        DecisionJson.WriteDecibels(json, "sqnr_db", output.SqnrDb);
        json.WriteNumber("cosine", Math.Round(output.Cosine, Decimals));
        json.WriteNumber("largest_error", output.LargestError);
        json.WriteString("masked_by", output.MaskedBy);
        json.WriteEndObject();
    }

    /// <summary>Writes a share of 1, or null when it is unknown.</summary>
    internal static void WriteShare(Utf8JsonWriter json, string name, double? share)
    {
        if (share is { } value)
            json.WriteNumber(name, Math.Round(value, Decimals));
        else
            json.WriteNull(name);
    }
}
