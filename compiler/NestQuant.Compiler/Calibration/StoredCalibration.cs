using System.Text.Json;
using System.Text.Json.Serialization;

namespace NestQuant.Compiler.Calibration;

/// <summary>Calibration statistics in the structure of their file.</summary>
internal sealed class StoredCalibration
{
    /// <summary>Identifies the kind of file; must come first.</summary>
    public string? Format { get; set; }

    /// <summary>Version of the format: a file of another version is refused before the rest is read.</summary>
    public int? Version
    {
        get;
        set =>
            field = value == CalibrationJson.Version
                ? value
                : throw new FormatException($"it has version {value}, {CalibrationJson.Version} is known");
    }

    /// <summary>SHA-256 of the source model's file.</summary>
    public string? SourceSha256 { get; set; }

    /// <summary>Number of samples.</summary>
    public long? Samples { get; set; }

    /// <summary>Statistics by value name.</summary>
    public Dictionary<string, StoredActivation>? Values { get; set; }
}

/// <summary>The statistics of one activation.</summary>
internal sealed class StoredActivation
{
    /// <summary>Number of values.</summary>
    public required long Count { get; set; }

    /// <summary>The smallest value.</summary>
    public required float Min { get; set; }

    /// <summary>The largest value.</summary>
    public required float Max { get; set; }

    /// <summary>Number of values that are zero.</summary>
    public required long Zeros { get; set; }

    /// <summary>Bins are 2^exponent wide.</summary>
    public required int Exponent { get; set; }

    /// <summary>Number of the first bin listed.</summary>
    public required int FirstBin { get; set; }

    /// <summary>Counts, where a negative number -k means k empty bins.</summary>
    [JsonConverter(typeof(RunsConverter))]
    public required long[] Bins { get; set; }

    /// <summary>Reads at most as many numbers as there can be bins, however many a file lists.</summary>
    internal sealed class RunsConverter : JsonConverter<long[]>
    {
        public override long[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
                throw new JsonException("the bins are not a list");
            var runs = new List<long>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (runs.Count == 2 * ActivationHistogram.HalfBins)
                    throw new JsonException("there are too many bins");
                runs.Add(reader.GetInt64());
            }

            return [.. runs];
        }

        public override void Write(Utf8JsonWriter writer, long[] value, JsonSerializerOptions options) => throw new NotSupportedException();
    }
}

/// <summary>Reads <see cref="StoredCalibration"/>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    AllowDuplicateProperties = false,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(StoredCalibration))]
internal sealed partial class StoredCalibrationContext : JsonSerializerContext;
