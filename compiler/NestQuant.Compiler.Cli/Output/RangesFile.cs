using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Onnx;
using NestQuant.Passes;

namespace NestQuant.Compiler.Cli.Output;

/// <summary>Files of calibration statistics, whose names end in <c>.json</c>.</summary>
internal static class RangesFile
{
    private const string Extension = ".json";

    /// <summary>Whether a path names such a file rather than data.</summary>
    public static bool IsNamed(string path) => Path.GetExtension(path).Equals(Extension, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a file.</summary>
    /// <exception cref="ModelException">It is missing or no such file.</exception>
    public static CalibrationStatistics Read(string path)
    {
        try
        {
            return CalibrationJson.Read(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException($"{path}: no such file", e);
        }
    }

    /// <summary>Where to write a file that will become <paramref name="output"/>.</summary>
    /// <exception cref="ModelException">The name has another ending, is that of an input, or cannot be written to.</exception>
    public static string Stage(OutputTransaction transaction, string output, IReadOnlyList<string> inputs)
    {
        if (!IsNamed(output))
            throw new ModelException($"{output}: the name of the output must end in {Extension}");
        if (inputs.Any(input => Path.GetFullPath(input) == Path.GetFullPath(output)))
            throw new ModelException($"{output}: the output would replace an input: choose another name or folder");
        return transaction.Stage(output);
    }

    /// <summary>Writes a file.</summary>
    public static void Write(CalibrationStatistics statistics, string path) => File.WriteAllText(path, CalibrationJson.Write(statistics, Provenance.Version));

    /// <summary>Says that a file has been written.</summary>
    public static void Report(CliConsole console, string path) => console.Line($"wrote {path} ({Numbers.Count(new FileInfo(path).Length)} bytes)");
}
