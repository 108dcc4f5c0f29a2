using System.Text.Json;
using NestQuant.Compiler.Pipeline;
using NestQuant.Compiler.Reports;
using NestQuant.Evaluation.Inspection;
using NestQuant.Onnx;
using NestQuant.Passes.Nesting;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>The stable JSON form of <c>inspect</c>. Ratios in dB are null for a weight without error and where the decision log is missing;
/// a tag is null in
/// models of layout version 1, which have none.</summary>
internal static class InspectionJson
{
    public static string Write(ModelInspection inspection) => JsonText.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("model", inspection.Path);
        json.WriteStartObject("provenance");
        foreach (StringStringEntryProto entry in inspection.Metadata)
            json.WriteString(entry.Key, entry.Value);
        json.WriteEndObject();
        json.WriteBoolean("part", inspection.IsPart);
        json.WriteStartArray("nested");
        foreach (NestedNode node in inspection.Nested)
            WriteNested(json, node);
        json.WriteEndArray();
        json.WriteStartArray("kept");
        foreach (Decision kept in inspection.Kept)
        {
            json.WriteStartObject();
            json.WriteString("node", kept.Node);
            json.WriteString("op", kept.Op);
            json.WriteString("reason", kept.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("warnings");
        foreach (Decision lossy in inspection.Lossy)
        {
            json.WriteStartObject();
            json.WriteString("node", lossy.Node);
            json.WriteString("op", lossy.Op);
            json.WriteString("warning", lossy.Warning);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("initializers", inspection.Weights.Count);
        json.WriteNumber("initializer_bytes", inspection.Weights.Bytes);
        ReportJson.WriteFiles(json, inspection.Files);
        json.WriteEndObject();
    });

    private static void WriteNested(Utf8JsonWriter json, NestedNode node)
    {
        NestedOperator nested = node.Operator;
        json.WriteStartObject();
        json.WriteString("node", node.Node);
        json.WriteString("op", node.Op);
        json.WriteString("runs_as", nested.Node.OpType);
        json.WriteNumber("n", nested.Layout.Bits.Full);
        json.WriteNumber("h", nested.Layout.Bits.High);
        json.WriteStartArray("shape");
        foreach (long extent in nested.Shape)
            json.WriteNumberValue(extent);
        json.WriteEndArray();
        json.WriteNumber("weights", nested.Layout.View.Count);
        json.WriteNumber("high_bytes", nested.High.ByteCount);
        json.WriteNumber("low_bytes", node.Numbers.LowBytes);
        DecisionJson.WriteDecibels(json, "sqnr_full_db", node.Numbers.Levels[0].SqnrDb);
        DecisionJson.WriteDecibels(json, "sqnr_part_db", node.Numbers.Levels[^1].SqnrDb);
        DecisionJson.WriteLevels(json, node.Numbers.Levels);
        json.WriteString("tag", nested.Tag?.ToString());
        json.WriteEndObject();
    }
}
