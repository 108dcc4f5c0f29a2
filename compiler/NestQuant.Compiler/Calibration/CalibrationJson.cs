using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Calibration;

/// <summary>
/// Calibration statistics as JSON (docs/ranges.md). The same statistics give the same text, and reading it gives the same statistics.
/// </summary>
/// <remarks>
/// <c>{"format","version","tool_version","source_sha256","samples","values":{NAME:VALUE,...}}</c>, where VALUE is
/// <c>{"count","min","max","zeros","exponent","first_bin","bins":[...]}</c>:
/// the bins from the first to the last non-empty one, where a negative number -k means k empty ones.
/// </remarks>
internal static class CalibrationJson
{
    /// <summary>Value of the property <c>format</c>.</summary>
    public const string Format = "nestquant-calibration";

    /// <summary>Value of the property <c>version</c>.</summary>
    public const int Version = 1;

    private static readonly JsonWriterOptions WriterOptions =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes statistics, indented, ending in a line feed.</summary>
    /// <param name="output">Where to write, in UTF-8.</param>
    /// <param name="statistics">The statistics.</param>
    /// <param name="toolVersion">Version of the tool that writes.</param>
    public static void Write(Stream output, CalibrationStatistics statistics, string toolVersion)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(statistics);
        using (var json = new Utf8JsonWriter(output, WriterOptions))
        {
            json.WriteStartObject();
            json.WriteString("format", Format);
            json.WriteNumber("version", Version);
            json.WriteString("tool_version", toolVersion);
            json.WriteString("source_sha256", statistics.SourceSha256);
            json.WriteNumber("samples", statistics.Samples);
            json.WriteStartObject("values");
            foreach (var (name, value) in statistics.Values)
            {
                WriteValue(json, name, value);
                json.Flush();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    /// <summary>Reads a file that <see cref="Write"/> wrote.</summary>
    /// <exception cref="ModelException">The file is missing, or not of this format.</exception>
    public static CalibrationStatistics Load(string path)
    {
        using FileStream stream = InputFile.Open(path);
        return Read(stream, path);
    }

    /// <summary>Reads what <see cref="Write"/> wrote, in memory proportional to its length.</summary>
    /// <param name="input">The text, in UTF-8.</param>
    /// <param name="name">Name for messages.</param>
    /// <exception cref="ModelException">The text is not of this format, or its numbers contradict each other.</exception>
    public static CalibrationStatistics Read(Stream input, string name)
    {
        ArgumentNullException.ThrowIfNull(input);
        try
        {
            StoredCalibration? stored = JsonSerializer.Deserialize(input, StoredCalibrationContext.Default.StoredCalibration);
            if (stored?.Format != Format || stored.Version is null)
                throw new FormatException($"'format' is not '{Format}', or 'version' is missing");
            if (stored.SourceSha256 is not { Length: > 0 } sha256)
                throw new FormatException("it has no 'source_sha256' property");
            if (stored.Samples is not { } samples || stored.Values is not { } values)
                throw new FormatException("it lacks 'samples' or 'values'");
            return new CalibrationStatistics(
                sha256, samples, values.Select(static value => KeyValuePair.Create(value.Key, ReadValue(value.Key, value.Value))));
        }
        catch (Exception e) when (
            e is JsonException or FormatException or ArgumentException or OverflowException or InvalidOperationException or IOException)
        {
            throw new ModelException(
                $"{name}: is not a file of calibration statistics, as 'nestquant calibrate' writes it, or is damaged: {e.Message}", e);
        }
    }

    private static void WriteValue(Utf8JsonWriter json, string name, ActivationStatistics value)
    {
        json.WriteStartObject(name);
        json.WriteNumber("count", value.Count);
        json.WriteNumber("min", value.Min);
        json.WriteNumber("max", value.Max);
        PackedBins bins = value.Histogram.Pack();
        json.WriteNumber("zeros", value.Histogram.Zeros);
        json.WriteNumber("exponent", value.Histogram.Exponent);
        json.WriteNumber("first_bin", bins.FirstBin);
        json.WritePropertyName("bins");
        // On one line: with indentation, every number would take its own line.
        json.WriteRawValue($"[{string.Join(',', bins.Runs.Select(static run => run.ToString(CultureInfo.InvariantCulture)))}]");
        json.WriteEndObject();
    }

    private static ActivationStatistics ReadValue(string name, StoredActivation? value)
    {
        Require(value is not null, "there are no statistics");
        var bins = new PackedBins(value.FirstBin, value.Bins);
        Require(float.IsFinite(value.Min) && float.IsFinite(value.Max) && value.Min <= value.Max, "min and max are not a range");
        Require(
            value.Exponent is >= ActivationHistogram.MinExponent and <= ActivationHistogram.MaxExponent, "the exponent is out of range");
        Require(ActivationHistogram.Covers(value.Exponent, value.Min, value.Max), "the bins do not reach min and max");
        Require(value.FirstBin is >= -ActivationHistogram.HalfBins and < ActivationHistogram.HalfBins, "the first bin is out of range");
        Require(bins.Fits(), "there are too many bins");
        Require(
            value.Zeros >= 0 && checked(value.Bins.Where(static run => run > 0).Sum() + value.Zeros) == value.Count,
            "the bins do not add up to the count");
        return ActivationStatistics.Of(value.Count, value.Min, value.Max, ActivationHistogram.Of(value.Exponent, value.Zeros, bins));

        void Require([DoesNotReturnIf(false)] bool condition, string problem)
        {
            if (!condition)
                throw new FormatException($"'{name}': {problem}");
        }
    }
}
