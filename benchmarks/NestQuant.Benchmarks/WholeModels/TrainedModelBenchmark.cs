using System.Globalization;
using System.Text.Json;
using static System.FormattableString;

namespace NestQuant.Benchmarks.WholeModels;

/// <summary>
/// Trained models with data: bytes of all files, time against the float source and the model's own QDQ export, and signal to noise at both
/// precisions, for every way to treat activations. The models of a folder are <c>X.onnx</c>, with <c>X.calibration.*</c> and
/// <c>X.evaluation.*</c> beside them.
/// </summary>
internal static class TrainedModelBenchmark
{
    private static readonly string[] Modes = ["weight-only", "dynamic", "static"];

    /// <summary>Runs the benchmark and prints its table.</summary>
    /// <param name="nestquant">The command-line tool's assembly.</param>
    /// <param name="folder">The folder of the models.</param>
    /// <param name="filter">Part of the names of the models to take; empty for all.</param>
    public static void Run(string nestquant, string folder, string filter)
    {
        var tool = new CommandLineTool(nestquant);
        Console.WriteLine(
            "1 thread; times are medians of interleaved runs on seeded inputs; dB are the least of all outputs, against the source");
        Console.WriteLine(
            "| model | activations | files kB | of source | full ms | part | float | QDQ | full : float | full dB | part dB |\n"
                + "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (string source in Directory.EnumerateFiles(folder, "*.onnx").Order(StringComparer.Ordinal))
        {
            if (!Path.GetFileName(source).Contains(filter, StringComparison.Ordinal)) continue;
            string[] data = [.. Directory.EnumerateFileSystemEntries(folder, Path.GetFileNameWithoutExtension(source) + ".*")];
            string? calibration = Array.Find(data, static path => path.Contains(".calibration", StringComparison.Ordinal));
            string? evaluation = Array.Find(data, static path => path.Contains(".evaluation", StringComparison.Ordinal));
            if (calibration is null || evaluation is null) continue;
            foreach (string mode in Modes) Measure(tool, source, calibration, evaluation, mode);
        }
    }

    private static void Measure(CommandLineTool tool, string source, string calibration, string evaluation, string mode)
    {
        string folder = Directory.CreateTempSubdirectory("nestquant-trained").FullName;
        try
        {
            string nested = Path.Combine(folder, "nested.onnx"), qdq = Path.Combine(folder, "qdq.onnx");
            string[] ranges = mode == "static" ? ["--calibrate", calibration] : [];
            tool.Run(["compile", source, "-o", nested, "--nest", "8:6", "--activations", mode, .. ranges]);
            long bytes = Directory.EnumerateFiles(folder).Sum(static file => new FileInfo(file).Length);
            tool.Run("export", nested, "--bits", "8", "--format", "qdq", "-o", qdq);
            JsonElement[] times =
            [
                .. tool.RunJson("bench", nested, "--against", source, "--against", qdq, "--threads", "1")
                    .GetProperty("results")
                    .EnumerateArray()
            ];
            JsonElement[] precisions =
            [
                .. tool.RunJson("evaluate", nested, "--data", evaluation, "--reference", source).GetProperty("precisions").EnumerateArray()
            ];
            double[] medians = [.. times.Select(static time => time.GetProperty("median_ms").GetDouble())];
            Console.WriteLine(
                Invariant($"| {Path.GetFileNameWithoutExtension(source)} | {mode} | {bytes / 1e3:F0} ")
                + Invariant($"| {(double)bytes / new FileInfo(source).Length:F2} ")
                + string.Concat(medians.Select(static median => Invariant($"| {median:F2} ")))
                + Invariant($"| {medians[0] / medians[^2]:F2} | {Decibels(precisions[0])} | {Decibels(precisions[^1])} |"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Decibels(JsonElement precision) =>
        precision.GetProperty("sqnr_db") is { ValueKind: JsonValueKind.Number } value
            ? value.GetDouble().ToString("F1", CultureInfo.InvariantCulture)
            : "equal";
}
