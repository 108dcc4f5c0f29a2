using System.Globalization;
using System.Text.Json;
using NestQuant.Benchmarks.Models;
using NestQuant.Benchmarks.Switching;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;

namespace NestQuant.Benchmarks.WholeModels;

/// <summary>
/// Whole models against ONNX Runtime's own float32 and int8: the nested model of static activations beside its source and its QDQ form,
/// which has the same ranges and weights. Uses the command-line tool as a user would: compile, export, bench.
/// </summary>
internal static class WholeModelBenchmark
{
    private const int CalibrationSamples = 4;

    /// <summary>Runs the benchmark and prints a table in Markdown.</summary>
    /// <param name="nestquant">The command-line tool's assembly.</param>
    /// <param name="models">Names of generated models, or paths of ONNX files; all generated ones when empty.</param>
    public static void Run(string nestquant, IReadOnlyList<string> models)
    {
        var tool = new CommandLineTool(nestquant);
        string folder = Directory.CreateTempSubdirectory("nestquant-bench").FullName;
        try
        {
            Console.WriteLine(
                "| model | threads | form | bits | median ms | p99 ms | full-bit nested = 1 | session ms | process MB | model MB |");
            Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
            foreach (string model in models.Count > 0 ? models : [.. ModelZoo.All.Keys])
                Measure(
                    tool, model, Directory.CreateDirectory(Path.Combine(folder, Path.GetFileNameWithoutExtension(model))).FullName);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Compiles a model with static activations and exports its QDQ form.</summary>
    /// <param name="tool">The command-line tool.</param>
    /// <param name="model">Name of a generated model, or path of an ONNX file.</param>
    /// <param name="folder">Where to.</param>
    /// <returns>Paths of the float model, the nested one and the QDQ form.</returns>
    public static (string Source, string Nested, string Qdq) Prepare(CommandLineTool tool, string model, string folder)
    {
        string source = Path.Combine(folder, "float.onnx"),
            nested = Path.Combine(folder, "nested.onnx"),
            qdq = Path.Combine(folder, "qdq.onnx"),
            data = Path.Combine(folder, "data.npy");
        if (ModelZoo.All.TryGetValue(model, out Func<ModelProto>? create)) ModelFile.Save(create(), source);
        else source = model;
        WriteSamples(source, data);
        // Without the guard: random weights have no accuracy to lose, and kernels of integers are what is compared.
        tool.Run(
            "compile", source, "-o", nested, "--nest", "8:6", "--activations", "static", "--calibrate", data,
            "--activation-guard", "off");
        tool.Run("export", nested, "--bits", "8", "--format", "qdq", "-o", qdq);
        return (source, nested, qdq);
    }

    private static void Measure(CommandLineTool tool, string model, string folder)
    {
        (string source, string nested, string qdq) = Prepare(tool, model, folder);
        foreach (int threads in (int[])[1, Environment.ProcessorCount])
        {
            string[] bench =
            [
                "bench", nested, "--runs", "20", "--threads", threads.ToString(CultureInfo.InvariantCulture), "--against", qdq
            ];
            string name = Path.GetFileNameWithoutExtension(model);
            Print(name, "", tool.RunJson([.. bench, "--against", source]));
            // Without VNNI, ONNX Runtime's int8 kernels saturate unless they are told not to.
            Print(name, ", exact sums", tool.RunJson([.. bench, "--session-config", "session.x64quantprecision=1"]));
        }
    }

    private static void Print(string model, string mode, JsonElement root)
    {
        JsonElement[] results = [.. root.GetProperty("results").EnumerateArray()];
        double first = results[0].GetProperty("median_ms").GetDouble();
        foreach (JsonElement result in results)
        {
            string form = Path.GetFileNameWithoutExtension(result.GetProperty("model").GetString()!);
            if (mode.Length > 0 && form != "qdq") continue;
            JsonElement bits = result.GetProperty("bits");
            double median = result.GetProperty("median_ms").GetDouble();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {model} | {root.GetProperty("threads")} | {form}{(form == "qdq" ? mode : "")} | "
                    + $"{(bits.ValueKind == JsonValueKind.Null ? "-" : bits.ToString())} | {median:F2} | "
                    + $"{result.GetProperty("p99_ms").GetDouble():F2} | {median / first:F2} | "
                    + $"{result.GetProperty("session_ms").GetDouble():F1} | {result.GetProperty("resident_mb").GetDouble():F1} | "
                    + $"{result.GetProperty("model_mb").GetDouble():F1} |"));
        }

        JsonElement cost = root.GetProperty("switch");
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{model}, {root.GetProperty("threads")} threads: part to full {cost.GetProperty("part_to_full_us").GetDouble():F0} "
                + $"us, full to part {cost.GetProperty("full_to_part_us").GetDouble():F0} us"));
    }

    /// <summary>Seeded samples, uniform in [-1, 1), in the shape of the model's only input.</summary>
    private static void WriteSamples(string model, string path)
    {
        TypeProto.Tensor input = ModelFile.Load(model).MainGraph().Input[0].Type!.TensorType!;
        long[] shape =
        [
            CalibrationSamples,
            .. input.Shape!.Dim.Skip(1)
                .Select(static dimension => dimension.DimValue ?? throw new InvalidOperationException("the model leaves an extent open"))
        ];
        NpyArray.FromFloats(shape, ImageFeeds.Values(new Random(1), shape)).Write(path);
    }
}
