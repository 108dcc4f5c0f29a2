using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Calibration;

/// <summary>
/// Calibration statistics as JSON (docs/ranges.md). The same statistics give the same text, and reading it gives the same statistics.
/// </summary>
/// <remarks>
/// <c>{"format","version","tool_version","source_sha256","samples","values":{NAME:{"count","min","max","zeros","exponent","first_bin","bins":[...]}}}</c>: the
/// bins from the first to the last one that is not empty, where a negative number -k stands for k empty ones.
/// </remarks>
public static class CalibrationJson
{
    /// <summary>What the property <c>format</c> says.</summary>
    public const string Format = "nestquant-calibration";

    /// <summary>What the property <c>version</c> says.</summary>
    public const int Version = 1;

    private static readonly JsonWriterOptions WriterOptions =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes statistics, indented, ending in a line feed.</summary>
    /// <param name="statistics">The statistics.</param>
    /// <param name="toolVersion">Version of the tool that writes.</param>
    public static string Write(CalibrationStatistics statistics, string toolVersion)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("format", Format);
            json.WriteNumber("version", Version);
            json.WriteString("tool_version", toolVersion);
            json.WriteString("source_sha256", statistics.SourceSha256);
            json.WriteNumber("samples", statistics.Samples);
            json.WriteStartObject("values");
            foreach (var (name, value) in statistics.Values)
                WriteValue(json, name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="text">The text.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="ModelException">The text is not such a file, or its numbers contradict each other.</exception>
    public static CalibrationStatistics Read(string text, string name)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement root = document.RootElement;
            if (!root.TryGetProperty("format", out JsonElement format) || format.GetString() != Format)
                throw new FormatException("it does not say that it is one");
            if (root.GetProperty("version").GetInt32() is var version && version != Version)
                throw new FormatException($"it has version {version}, {Version} is known");
            return new CalibrationStatistics(
                root.GetProperty("source_sha256").GetString() is { Length: > 0 } sha256 ? sha256 : throw new FormatException("it does not say of which model it is"),
                root.GetProperty("samples").GetInt64(),
                root.GetProperty("values").EnumerateObject().Select(value => KeyValuePair.Create(value.Name, ReadValue(value))));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException or OverflowException)
        {
            throw new ModelException($"{name}: is not a file of calibration statistics, as 'nestquant calibrate' writes it, or is damaged: {e.Message}", e);
        }
    }

    private static void WriteValue(Utf8JsonWriter json, string name, ActivationStatistics value)
    {
        json.WriteStartObject(name);
        json.WriteNumber("count", value.Count);
        json.WriteNumber("min", value.Min);
        json.WriteNumber("max", value.Max);
        ActivationHistogram histogram = value.Histogram;
        json.WriteNumber("zeros", histogram.Zeros);
        json.WriteNumber("exponent", histogram.Exponent);
        json.WriteNumber("first_bin", histogram.FirstBin);
        json.WritePropertyName("bins");
        // One line: indented, every number would take one of its own.
        json.WriteRawValue($"[{string.Join(',', Runs(histogram).Select(run => run.ToString(CultureInfo.InvariantCulture)))}]");
        json.WriteEndObject();
    }

    private static IEnumerable<long> Runs(ActivationHistogram histogram)
    {
        int empty = 0;
        for (int bin = histogram.FirstBin, last = histogram.LastBin; bin <= last; bin++)
        {
            long count = histogram[bin];
            if (count == 0)
            {
                empty++;
                continue;
            }

            if (empty > 0)
                yield return -empty;
            empty = 0;
            yield return count;
        }
    }

    private static ActivationStatistics ReadValue(JsonProperty value)
    {
        JsonElement item = value.Value;
        long count = item.GetProperty("count").GetInt64(), zeros = item.GetProperty("zeros").GetInt64();
        float min = item.GetProperty("min").GetSingle(), max = item.GetProperty("max").GetSingle();
        int exponent = item.GetProperty("exponent").GetInt32(), firstBin = item.GetProperty("first_bin").GetInt32();
        Require(float.IsFinite(min) && float.IsFinite(max) && min <= max, value, "min and max are no range");
        Require(exponent is >= ActivationHistogram.MinExponent and <= ActivationHistogram.MaxExponent, value, "the exponent is impossible");
        Require(ActivationHistogram.Covers(exponent, min, max), value, "the bins do not reach min and max");
        Require(firstBin is >= -ActivationHistogram.HalfBins and < ActivationHistogram.HalfBins, value, "the first bin is impossible");
        long[] bins = ReadBins(item.GetProperty("bins"), firstBin, value);
        Require(zeros >= 0 && checked(bins.Sum() + zeros) == count, value, "the bins do not add up to the count");
        return ActivationStatistics.Of(count, min, max, ActivationHistogram.Of(exponent, zeros, firstBin, bins));
    }

    private static long[] ReadBins(JsonElement runs, int firstBin, JsonProperty value)
    {
        var bins = new List<long>();
        foreach (JsonElement run in runs.EnumerateArray())
        {
            long number = run.GetInt64();
            long length = number < 0 ? -number : 1;
            Require(length > 0 && length <= ActivationHistogram.HalfBins - firstBin - bins.Count, value, "there are too many bins");
            if (number < 0)
                bins.AddRange(Enumerable.Repeat(0L, (int)length));
            else
                bins.Add(number);
        }

        return [.. bins];
    }

    private static void Require(bool condition, JsonProperty value, string problem)
    {
        if (!condition)
            throw new FormatException($"'{value.Name}': {problem}");
    }
}
