using System.Globalization;
using NestQuant.Compiler.Cli.Output;
using NestQuant.Compiler.Onnx;
using NestQuant.Passes;
using NestQuant.Passes.GroupNL;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>What a <c>compile</c> command line asks for.</summary>
/// <param name="Model">Path of the source.</param>
/// <param name="Output">Path of the ONNX file to write.</param>
/// <param name="Reports">Paths of reports to write.</param>
/// <param name="Options">How to compile.</param>
/// <param name="Calibration">What it takes from data.</param>
/// <param name="Threads">Most threads; null for one per processor.</param>
/// <param name="Checks">Whether the results are loaded before they are published.</param>
internal sealed record CompileRequest(string Model, string Output, IReadOnlyList<string> Reports, CompileOptions Options, CalibrationArguments Calibration, int? Threads, bool Checks)
{
    /// <summary>Folder of the output.</summary>
    public string OutputFolder => Path.GetDirectoryName(Path.GetFullPath(Output)) ?? Output;

    /// <summary>Whether a report of this name is a page rather than JSON.</summary>
    public static bool IsHtml(string path) => Path.GetExtension(path).Equals(".html", StringComparison.OrdinalIgnoreCase);

    /// <summary>Fails when a report has an unknown kind or two files would be one.</summary>
    /// <exception cref="UsageException">It does.</exception>
    public void CheckReports()
    {
        var paths = new HashSet<string>(StringComparer.Ordinal) { Path.GetFullPath(Output), Path.GetFullPath(Model) };
        foreach (string report in Reports)
        {
            if (!IsHtml(report) && !Path.GetExtension(report).Equals(".json", StringComparison.OrdinalIgnoreCase))
                throw new UsageException($"--report {report}: the name must end in .json or .html");
            if (!paths.Add(Path.GetFullPath(report)))
                throw new UsageException($"--report {report}: another file of this command has that path");
        }
    }

    /// <summary>Fails when the output would replace the source.</summary>
    /// <exception cref="ModelException">It would, also through a symbolic link.</exception>
    public void CheckOutput()
    {
        if (Directory.Exists(Output) || Path.GetFileName(Output).Length == 0)
            throw new ModelException($"{Output}: is a folder: name the file to write, for example {Path.Combine(Output, "model.onnx")}");
        if (Path.GetExtension(Output) != ".onnx")
            throw new ModelException($"{Output}: the name of the output must end in .onnx");
        if (ModelFiles.Resolve(Output) == ModelFiles.Resolve(Model))
            throw new ModelException($"{Output}: the output would replace the source model: choose another name or folder");
    }

    /// <summary>Fails when a file to be written is one that the source consists of, or a report.</summary>
    /// <exception cref="ModelException">It is.</exception>
    public void CheckFiles(IReadOnlyList<SavedFile> files, IReadOnlyList<string> sourceFiles)
    {
        var source = sourceFiles.Select(ModelFiles.Resolve).ToHashSet(StringComparer.Ordinal);
        var reports = Reports.Select(ModelFiles.Resolve).ToHashSet(StringComparer.Ordinal);
        foreach (SavedFile file in files)
        {
            if (source.Contains(ModelFiles.Resolve(file.Path)))
                throw new ModelException($"{file.Path}: would replace a file of the source model: choose another name or folder");
            if (reports.Contains(ModelFiles.Resolve(file.Path)))
                throw new ModelException($"{file.Path}: is both a report and a file of the compiled model: choose another name");
        }
    }

    /// <summary>The options in one line, for people.</summary>
    public string Describe()
    {
        string nesting = Options.Nest is { } bits
            ? $"nest {bits}, rounding {Options.Rounding}, weights {Options.Weights}, activations {Options.Activations}".ToLowerInvariant()
            : "no nesting";
        if (Options.Ranges is { } ranges)
            nesting += $" ({ranges})";
        if (Options.Expand is { } expand)
        {
            string calibration = Options.ExpandCalibration is { } c
                ? string.Create(CultureInfo.InvariantCulture, $", calibrated on {c.Data.Count} samples with budget {c.Budget} and ridge {c.Ridge}")
                : "";
            return $"{nesting}, groupnl expand:{expand}{calibration}";
        }

        return Options.GroupNL == GroupNLMode.Fuse ? nesting : $"{nesting}, groupnl {Options.GroupNL}".ToLowerInvariant();
    }
}
