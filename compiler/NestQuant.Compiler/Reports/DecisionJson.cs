using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;

namespace NestQuant.Compiler.Reports;

/// <summary>
/// A decision log as compact JSON: its form in the <c>metadata_props</c> of a compiled model, and the <c>decisions</c> of a JSON report.
/// </summary>
/// <remarks>
/// One array of objects in log order: <c>{"pass","node","op"}</c>, then <c>"reason"</c> for a kept node, <c>"note"</c> and <c>"warning"</c>
/// where there are any, then <c>"nesting":{"n","h","weights","source_bytes","high_bytes","low_bytes","sqnr_full_db","sqnr_part_db"}</c> for
/// a nested one, and inside it, where there are more than two, <c>"levels":[{"bits","bytes","sqnr_db"}]</c>, full precision first. Ratios
/// are in dB with four decimals; null means an infinite one, that is, a weight without any error, and "-Infinity" one whose error is
/// infinite. The same log gives the same text.
/// </remarks>
internal static class DecisionJson
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a log.</summary>
    public static string Write(DecisionLog log)
    {
        ArgumentNullException.ThrowIfNull(log);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
            WriteTo(json, log);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Writes a log as one JSON array at the writer's position.</summary>
    public static void WriteTo(Utf8JsonWriter json, DecisionLog log)
    {
        ArgumentNullException.ThrowIfNull(json);
        ArgumentNullException.ThrowIfNull(log);
        json.WriteStartArray();
        foreach (Decision decision in log.Decisions)
            WriteDecision(json, decision);
        json.WriteEndArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="ModelException">The text is not such a log.</exception>
    public static DecisionLog Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            var log = new DecisionLog();
            foreach (JsonElement item in document.RootElement.EnumerateArray())
                ReadDecision(item, log);
            return log;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ModelException($"the decision log of the model is damaged ({e.Message}): compile the model again", e);
        }
    }

    /// <summary>
    /// Writes a ratio in dB with four decimals, null when there is no error, "-Infinity" when the error is infinite.
    /// </summary>
    public static void WriteDecibels(Utf8JsonWriter json, string name, double decibels)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (double.IsFinite(decibels))
            json.WriteNumber(name, Math.Round(decibels, 4));
        else if (double.IsNegativeInfinity(decibels))
            json.WriteString(name, "-Infinity");
        else
            json.WriteNull(name);
    }

    private static void WriteDecision(Utf8JsonWriter json, Decision decision)
    {
        json.WriteStartObject();
        json.WriteString("pass", decision.Pass);
        json.WriteString("node", decision.Node);
        json.WriteString("op", decision.Op);
        if (decision.Reason is not null)
            json.WriteString("reason", decision.Reason);
        if (decision.Note is not null)
            json.WriteString("note", decision.Note);
        if (decision.Warning is not null)
            json.WriteString("warning", decision.Warning);
        if (decision.Nesting is { } nesting)
        {
            json.WriteStartObject("nesting");
            LevelNumbers full = nesting.Levels[0], part = nesting.Levels[^1];
            json.WriteNumber("n", full.Bits);
            json.WriteNumber("h", part.Bits);
            json.WriteNumber("weights", nesting.Weights);
            json.WriteNumber("source_bytes", nesting.SourceBytes);
            json.WriteNumber("high_bytes", nesting.HighBytes);
            json.WriteNumber("low_bytes", nesting.LowBytes);
            WriteDecibels(json, "sqnr_full_db", full.SqnrDb);
            WriteDecibels(json, "sqnr_part_db", part.SqnrDb);
            WriteLevels(json, nesting.Levels);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>
    /// Writes the property <c>"levels":[{"bits","bytes","sqnr_db"}]</c> where there are more than two, which have properties of their own.
    /// </summary>
    public static void WriteLevels(Utf8JsonWriter json, IReadOnlyList<LevelNumbers> levels)
    {
        if (levels.Count == 2)
            return;
        json.WriteStartArray("levels");
        foreach (LevelNumbers level in levels)
        {
            json.WriteStartObject();
            json.WriteNumber("bits", level.Bits);
            json.WriteNumber("bytes", level.Bytes);
            WriteDecibels(json, "sqnr_db", level.SqnrDb);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void ReadDecision(JsonElement item, DecisionLog log)
    {
        string pass = Text(item, "pass");
        string node = Text(item, "node");
        string op = Text(item, "op");
        if (item.TryGetProperty("reason", out JsonElement reason))
            log.Kept(pass, node, op, reason.GetString() ?? "");
        else
            ReadRewritten(item, pass, node, op, log);
    }

    private static void ReadRewritten(JsonElement item, string pass, string node, string op, DecisionLog log)
    {
        NestingNumbers? nesting = item.TryGetProperty("nesting", out JsonElement numbers) ? ReadNesting(numbers) : null;
        log.Rewritten(pass, node, op, nesting, OptionalText(item, "note"), OptionalText(item, "warning"));
    }

    private static NestingNumbers ReadNesting(JsonElement item) => new(
        item.TryGetProperty("levels", out JsonElement levels) ? ReadLevels(levels) : ReadTwoLevels(item),
        item.GetProperty("weights").GetInt64(),
        item.GetProperty("source_bytes").GetInt64());

    private static LevelNumbers[] ReadLevels(JsonElement items)
    {
        LevelNumbers[] levels =
        [
            .. from item in items.EnumerateArray()
               select new LevelNumbers(
                   item.GetProperty("bits").GetInt32(), item.GetProperty("bytes").GetInt64(), Decibels(item, "sqnr_db")),
        ];
        return levels.Length >= 2 ? levels : throw new FormatException("'levels' has fewer than two");
    }

    private static LevelNumbers[] ReadTwoLevels(JsonElement item) =>
    [
        new(item.GetProperty("n").GetInt32(), item.GetProperty("low_bytes").GetInt64(), Decibels(item, "sqnr_full_db")),
        new(item.GetProperty("h").GetInt32(), item.GetProperty("high_bytes").GetInt64(), Decibels(item, "sqnr_part_db")),
    ];

    private static string Text(JsonElement item, string name) =>
        item.GetProperty(name).GetString() ?? throw new FormatException($"'{name}' is null");

    private static string? OptionalText(JsonElement item, string name) =>
        item.TryGetProperty(name, out JsonElement text) ? text.GetString() : null;

    private static double Decibels(JsonElement item, string name)
    {
        JsonElement value = item.GetProperty(name);
        return value.ValueKind switch
        {
            JsonValueKind.Null => double.PositiveInfinity,
            JsonValueKind.String => double.NegativeInfinity,
            _ => value.GetDouble(),
        };
    }
}
