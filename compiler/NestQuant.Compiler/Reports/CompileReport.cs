using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Reports;

/// <summary>The content of a report about one compilation.</summary>
/// <param name="Version">Version of the compiler.</param>
/// <param name="Source">Path of the source model, as given by the user.</param>
/// <param name="SourceBytes">Bytes of that file.</param>
/// <param name="SourceSha256">Its SHA-256 in hexadecimal, or null.</param>
/// <param name="Options">The options in one line.</param>
/// <param name="Decisions">What was done with every candidate.</param>
/// <param name="Files">The files written.</param>
public sealed record CompileReport(
    string Version,
    string Source,
    long SourceBytes,
    string? SourceSha256,
    string Options,
    DecisionLog Decisions,
    IReadOnlyList<SavedFile> Files)
{
    /// <summary>The weights that stay float; null where none was to be nested.</summary>
    public FloatWeights? FloatWeights { get; init; }

    /// <summary>What nesting is estimated to do to the time of a run; null where that is not known.</summary>
    public TimeEstimate? Times { get; init; }
}
