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
/// <see cref="DecisionJson"/> writes them.
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
            WriteFiles(json, report.Files);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
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
