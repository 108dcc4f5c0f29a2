using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Cli.Rendering;
using NestQuant.Compiler.Cli.Terminal;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;
using NestQuant.Passes;

namespace NestQuant.Compiler.Cli.Output;

/// <summary>Files of calibration statistics, whose names end in <c>.json</c>.</summary>
internal static class RangesFile
{
    private const string Extension = ".json";

    /// <summary>Whether a path names such a file rather than data.</summary>
    public static bool IsNamed(string path) => Path.GetExtension(path).Equals(Extension, StringComparison.OrdinalIgnoreCase);

    /// <summary>Fails when a file of that name cannot be written, before there is anything to write.</summary>
    /// <exception cref="ModelException">The name has another ending, is that of an input, or cannot be written to.</exception>
    public static void Prepare(FileTransaction transaction, string output)
    {
        if (!IsNamed(output))
            throw new ModelException($"{output}: the name of the output must end in {Extension}");
        transaction.OpenFolder(Path.GetDirectoryName(Path.GetFullPath(output))!);
        transaction.Check(output);
    }

    /// <summary>Writes a file.</summary>
    public static SavedFile Write(CalibrationStatistics statistics, FileTransaction transaction, string output) =>
        transaction.Write(output, stream => CalibrationJson.Write(stream, statistics, Provenance.Version));

    /// <summary>Says that a file has been written.</summary>
    public static void Report(CliConsole console, SavedFile file) => console.Line($"wrote {file.Path} ({Numbers.Count(file.Bytes)} bytes)");
}
