using System.Globalization;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.Nesting;

namespace NestQuant.Compiler.Cli.Commands;

/// <summary>What a <c>compile</c> command line asks for.</summary>
/// <param name="Model">Path of the source.</param>
/// <param name="Output">Path of the ONNX file to write.</param>
/// <param name="Reports">Paths of reports to write.</param>
/// <param name="Options">How to compile.</param>
/// <param name="Calibration">What it takes from data.</param>
/// <param name="Load">How to load the source.</param>
/// <param name="Config">Path of the configuration file; null for none.</param>
internal sealed record CompileRequest(
    string Model,
    string Output,
    IReadOnlyList<string> Reports,
    CompilerOptions Options,
    CalibrationArguments Calibration,
    LoadOptions Load,
    string? Config)
{
    /// <summary>The files and folders that are read.</summary>
    public IEnumerable<string> Inputs => [Model, .. Calibration.Inputs, .. Config is null ? [] : (string[])[Config]];

    /// <summary>The files that will be written, as far as that is known before the compilation.</summary>
    public IEnumerable<string> ExpectedFiles =>
        Options.Weights.Nests ? [.. SavedModels.Expected(Output, Options.Weights), .. Reports] : [Output, .. Reports];

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

    /// <summary>Fails when the output is not named as a model.</summary>
    /// <exception cref="ModelException">It is not.</exception>
    public void CheckOutput()
    {
        if (Directory.Exists(Output) || Path.GetFileName(Output).Length == 0)
            throw new ModelException($"{Output}: is a folder: name the file to write, for example {Path.Combine(Output, "model.onnx")}");
        if (Path.GetExtension(Output) != ".onnx")
            throw new ModelException($"{Output}: the name of the output must end in .onnx");
    }

    /// <summary>The options in one line, for people.</summary>
    public string Describe()
    {
        WeightOptions weights = Options.Weights;
        ActivationOptions activations = Options.Activations;
        string nesting = "no nesting";
        if (weights.Nests)
        {
            nesting = $"nest {(weights.Bits is { } bits ? $"{bits}" : "by rules")}, rounding {Rounding(weights)}, weights {weights.Scheme}"
                .ToLowerInvariant();
            nesting += $", activations {OptionsText.Name(activations.Mode)}{(activations.Ranges is { } ranges ? $" ({ranges})" : "")}";
            if (weights.Rules.Count > 0)
                nesting += string.Create(CultureInfo.InvariantCulture, $", {weights.Rules.Count} rules");
        }

        if (Options.GroupNL.Expansion is not { } expansion)
            return Options.GroupNL.Mode == GroupNLMode.Fuse ? nesting : $"{nesting}, groupnl {OptionsText.Name(Options.GroupNL.Mode)}";
        string calibration = Options.GroupNL.Calibration is { } c
            ? string.Create(
                CultureInfo.InvariantCulture, $", calibrated on {c.Data.Count} samples with budget {c.Budget} and ridge {c.Ridge}")
            : "";
        return $"{nesting}, groupnl expand:{expansion}{calibration}";
    }

    private static string Rounding(WeightOptions weights) =>
        weights.SplitRounding is { } split && split != weights.Rounding ? $"{weights.Rounding} and {split}" : $"{weights.Rounding}";
}
