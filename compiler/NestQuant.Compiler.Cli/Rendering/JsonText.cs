using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NestQuant.Onnx;

namespace NestQuant.Compiler.Cli.Rendering;

/// <summary>JSON as the commands print it: indented, LF, readable characters.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions Options =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The text that <paramref name="write"/> produces.</summary>
    public static string Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
            write(json);
        // The encoder leaves marks of writing direction as they are, which a terminal would follow.
        return DisplayText.Escape(Encoding.UTF8.GetString(buffer.WrittenSpan), keepLines: true);
    }
}
