using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace NestQuant.Onnx.Files;

/// <summary>A data file as it was saved with the model.</summary>
/// <param name="Location">The file's name, as the model's tensors refer to it.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">SHA-256 of its content, lower-case hexadecimal.</param>
internal sealed record DataFileEntry(string Location, long Bytes, string Sha256);

/// <summary>
/// The list of a model's data files in its <c>metadata_props</c>: <c>{"X.high.bin":{"bytes":...,"sha256":"..."}}</c>, in ordinal order.
/// Saving writes it for every model that has data files, and removes it where there are none.
/// </summary>
internal static class DataFileList
{
    /// <summary>Key of the list in <c>metadata_props</c>.</summary>
    public const string Key = "nestquant.files";

    private const int HashDigits = 64;

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The list that a model was saved with.</summary>
    /// <param name="model">The model.</param>
    /// <returns>The entries; null when the model has no list.</returns>
    /// <exception cref="ModelException">The list is damaged.</exception>
    public static IReadOnlyList<DataFileEntry>? Of(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.MetadataProps.Find(entry => entry.Key == Key) is not { } list)
            return null;
        try
        {
            using var json = JsonDocument.Parse(list.Value);
            DataFileEntry[] entries = [.. json.RootElement.EnumerateObject().Select(Read)];
            var areDistinct = entries.DistinctBy(entry => entry.Location).Count() == entries.Length;
            return areDistinct ? entries : throw new FormatException("a file is listed twice");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new ModelException($"The metadata '{Key}' is damaged: {e.Message.TrimEnd('.')}; compile the model again.", e);
        }
    }

    /// <summary>Sets the list of a model that is about to be written; an empty one is left out.</summary>
    internal static void Set(ModelProto stored, IEnumerable<DataFileEntry> files)
    {
        stored.MetadataProps = [.. stored.MetadataProps.Where(entry => entry.Key != Key)];
        DataFileEntry[] entries = [.. files.OrderBy(entry => entry.Location, StringComparer.Ordinal)];
        if (entries.Length == 0)
            return;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            foreach (var (location, bytes, sha256) in entries)
            {
                json.WriteStartObject(location);
                json.WriteNumber("bytes", bytes);
                json.WriteString("sha256", sha256);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        stored.MetadataProps.Add(new StringStringEntryProto(Key, Encoding.UTF8.GetString(buffer.WrittenSpan)));
    }

    private static DataFileEntry Read(JsonProperty file)
    {
        var sha256 = file.Value.GetProperty("sha256").GetString() ?? "";
        if (sha256.Length != HashDigits || !sha256.All(char.IsAsciiHexDigitLower))
            throw new FormatException("a hash is not 64 hexadecimal digits");
        return new DataFileEntry(file.Name, file.Value.GetProperty("bytes").GetInt64(), sha256);
    }
}
