using System.Globalization;
using NestQuant.Benchmarks.Models;
using NestQuant.Onnx.Files;

namespace NestQuant.Benchmarks.CompileSpeed;

/// <summary>
/// Time and memory of <c>nestquant compile</c> on a ResNet-101-shaped model, beside Python's <c>onnx.load</c> + <c>onnx.save</c> of the
/// same file: whole processes, interleaved, medians.
/// </summary>
internal static class CompileSpeedBenchmark
{
    private const string LoadAndSave =
        "import sys, time, onnx\nt = time.perf_counter()\nonnx.save(onnx.load(sys.argv[1]), sys.argv[2])\nprint(time.perf_counter() - t)";

    /// <summary>Runs the benchmark.</summary>
    /// <param name="nestquant">The command-line tool's assembly.</param>
    /// <param name="python">A Python with the onnx package.</param>
    /// <param name="runs">Counted runs of each; one more of each warms up.</param>
    public static void Run(string nestquant, string python, int runs)
    {
        string folder = Directory.CreateTempSubdirectory("nestquant-bench").FullName;
        try
        {
            string model = Path.Combine(folder, "resnet101.onnx");
            ModelFile.Save(ResNetModel.ResNet101(seed: 1), model);
            long size = new FileInfo(model).Length;
            Console.WriteLine(Invariant($"model: {size:N0} bytes, {Environment.ProcessorCount} processors, {runs} runs, medians"));

            var results = new Dictionary<string, List<MeasuredProcess>>();
            var loadAndSaveSeconds = new List<double>();
            for (int run = 0; run <= runs; run++)
            {
                MeasuredProcess reference = MeasuredProcess.Run(python, "-c", LoadAndSave, model, Path.Combine(folder, "copy.onnx"));
                foreach (string options in (string[])["adaptive", "nearest"])
                {
                    MeasuredProcess compile = MeasuredProcess.Run(
                        "dotnet",
                        nestquant,
                        "compile",
                        model,
                        "-o",
                        Path.Combine(folder, options, "nested.onnx"),
                        "--nest",
                        "8:6",
                        "--rounding",
                        options);
                    if (run > 0) Add(results, "nestquant compile --nest 8:6 --rounding " + options, compile);
                }

                if (run == 0) continue;
                Add(results, "python, whole process", reference);
                loadAndSaveSeconds.Add(double.Parse(reference.Output, CultureInfo.InvariantCulture));
            }

            double loadAndSave = Statistics.Median(loadAndSaveSeconds);
            Console.WriteLine(Invariant($"python onnx.load + onnx.save, without interpreter start: {loadAndSave:F3} s"));
            Console.WriteLine("| command | wall s | / (load + save) | peak MB | / model file |");
            Console.WriteLine("| --- | --- | --- | --- | --- |");
            foreach ((string name, List<MeasuredProcess> measured) in results)
            {
                double seconds = Statistics.Median(measured.Select(static m => m.Seconds)),
                    peak = Statistics.Median(measured.Select(static m => (double)m.PeakBytes));
                Console.WriteLine(
                    Invariant($"| {name} | {seconds:F2} | {seconds / loadAndSave:F2} | {peak / 1e6:F0} | {peak / size:F2} |"));
            }

            foreach (FileInfo file in new DirectoryInfo(Path.Combine(folder, "adaptive"))
                    .EnumerateFiles()
                    .OrderBy(static file => file.Name, StringComparer.Ordinal))
                Console.WriteLine(Invariant($"{file.Name}: {file.Length:N0} bytes"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Add(Dictionary<string, List<MeasuredProcess>> results, string name, MeasuredProcess measured)
    {
        if (!results.TryGetValue(name, out List<MeasuredProcess>? list)) results[name] = list = [];
        list.Add(measured);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
