using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Reports;

/// <summary>
/// A compile report as JSON:
/// <c>{"version","source","source_bytes","source_sha256","options","decisions":[...],"files":[{"path","bytes"}]}</c>, with the decisions as
/// <see cref="DecisionJson"/> writes them, and <c>"float_weights":{"bytes","all_bytes","groups":[{"reason","tensors","bytes"}]}</c> where
/// weights were to be nested, and <c>"estimated_us":{"float","nested","slower":[{"node","float","nested"}]}</c> where shapes are known.
/// </summary>
public static class ReportJson
{
    private static readonly JsonWriterOptions WriterOptions =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a report, indented, ending in a line feed.</summary>
    public static string Write(CompileReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("version", report.Version);
            json.WriteString("source", report.Source);
            json.WriteNumber("source_bytes", report.SourceBytes);
            json.WriteString("source_sha256", report.SourceSha256);
            json.WriteString("options", report.Options);
            json.WritePropertyName("decisions");
            DecisionJson.WriteTo(json, report.Decisions);
            if (report.FloatWeights is { } weights)
                WriteFloatWeights(json, weights);
            if (report.Times is { } times)
                WriteTimes(json, times);
            WriteFiles(json, report.Files);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void WriteFloatWeights(Utf8JsonWriter json, FloatWeights weights)
    {
        json.WriteStartObject("float_weights");
        json.WriteNumber("bytes", weights.Bytes);
        json.WriteNumber("all_bytes", weights.AllBytes);
        json.WriteStartArray("groups");
        foreach (FloatWeightGroup group in weights.Groups)
        {
            json.WriteStartObject();
            json.WriteString("reason", group.Reason);
            json.WriteNumber("tensors", group.Tensors);
            json.WriteNumber("bytes", group.Bytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTimes(Utf8JsonWriter json, TimeEstimate times)
    {
        json.WriteStartObject("estimated_us");
        json.WriteNumber("float", Math.Round(times.Float, 1));
        json.WriteNumber("nested", Math.Round(times.Nested, 1));
        json.WriteStartArray("slower");
        foreach (LayerTime layer in times.Slower)
        {
            json.WriteStartObject();
            json.WriteString("node", layer.Node);
            json.WriteNumber("float", Math.Round(layer.Float, 1));
            json.WriteNumber("nested", Math.Round(layer.Nested, 1));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Writes the property <c>"files":[{"path","bytes"}]</c>, with <c>"sha256"</c> where it is known.</summary>
    public static void WriteFiles(Utf8JsonWriter json, IReadOnlyList<SavedFile> files)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(files);
        json.WriteStartArray("files");
        foreach (SavedFile file in files)
        {
            json.WriteStartObject();
            json.WriteString("path", file.Path);
            json.WriteNumber("bytes", file.Bytes);
            if (file.Sha256 is not null)
                json.WriteString("sha256", file.Sha256);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
