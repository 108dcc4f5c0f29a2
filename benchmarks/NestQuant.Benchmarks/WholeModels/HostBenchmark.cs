using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace NestQuant.Benchmarks.WholeModels;

/// <summary>
/// Time and memory of a host in C++ (examples/cpp): the nested model with the native library beside its QDQ form without it, each in a
/// process of its own.
/// </summary>
internal static partial class HostBenchmark
{
    private const int Runs = 1000;

    /// <summary>Runs the benchmark and prints a table in Markdown.</summary>
    /// <param name="host">The program that examples/cpp builds.</param>
    /// <param name="nestquant">The command-line tool's assembly.</param>
    /// <param name="models">Names of generated models, or paths of ONNX files.</param>
    public static void Run(string host, string nestquant, IReadOnlyList<string> models)
    {
        var tool = new CommandLineTool(nestquant);
        string folder = Directory.CreateTempSubdirectory("nestquant-hosts").FullName;
        try
        {
            Console.WriteLine(
                "| model | form | session ms | first run ms | full ms | to part ms | part ms | back ms | PSS full MiB | PSS part MiB |");
            Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
            foreach (string model in models)
            {
                string name = Path.GetFileNameWithoutExtension(model);
                (_, string nested, string qdq) = WholeModelBenchmark.Prepare(
                    tool, model, Directory.CreateDirectory(Path.Combine(folder, name)).FullName);
                Step[] ours = Measure(host, null, nested, "8", $"8x{Runs}", "6", $"6x{Runs}", "8");
                Step[] theirs = Measure(host, "", qdq, "0", $"0x{Runs}");
                Print(
                    name, "nested", ours[0].Ms, ours[1].Ms, ours[2].Ms, ours[3].Ms, ours[4].Ms, ours[5].Ms, ours[2].Memory, ours[4].Memory);
                Print(name, "ORT int8 (QDQ)", theirs[0].Ms, theirs[1].Ms, theirs[2].Ms, null, null, null, theirs[2].Memory, null);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Print(string model, string form, params IEnumerable<double?> figures) =>
        Console.WriteLine($"| {model} | {form} | {string.Join(" | ", figures.Select(Text))} |");

    private static string Text(double? figure) => figure?.ToString("F2", CultureInfo.InvariantCulture) ?? "";

    private static Step[] Measure(string host, string? library, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(host, arguments) { UseShellExecute = false, RedirectStandardOutput = true };
        if (library is not null) start.Environment["NESTQUANT_OPS"] = library;
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{host} did not start");
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{host} failed");
        return [.. Figures().Matches(output).Select(static match => new Step(Value(match, 1), Value(match, 2)))];
    }

    private static double Value(Match match, int group) => double.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"([\d.]+) ms +PSS +([\d.]+) MiB")]
    private static partial Regex Figures();

    private readonly record struct Step(double Ms, double Memory);
}
