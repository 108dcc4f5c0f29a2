using NestQuant.Onnx.Files;
using NestQuant.Passes.Nesting;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>How models are measured.</summary>
/// <param name="Threads">Threads inside an operator.</param>
/// <param name="Runs">Counted runs of each model and precision.</param>
/// <param name="Batch">Extent of a first axis that the model leaves open.</param>
/// <param name="Inputs">The command line's <c>[NAME=]FILE</c>, folders and archives; inputs without one get seeded values.</param>
/// <param name="SessionConfig">Entries of every session's configuration.</param>
public sealed record BenchOptions(
    int Threads, int Runs, int Batch, IReadOnlyList<string> Inputs, IReadOnlyList<(string Key, string Value)> SessionConfig)
{
    /// <summary>Extents of other axes that the model leaves open, by their symbols or as <c>INPUT:AXIS</c>.</summary>
    public IReadOnlyDictionary<string, int> Extents { get; init; } = new Dictionary<string, int>();

    /// <summary>What is allowed of the external data of the model that inputs are made for.</summary>
    public LoadOptions Load { get; init; } = new();

    /// <summary>Whether to measure the nodes of the first model as well.</summary>
    public bool Nodes { get; init; }

    /// <summary>Makes a session with these options.</summary>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">ONNX Runtime refuses the model.</exception>
    public ModelSession OpenSession(string model, NestedPrecisions? precisions) =>
        ModelSession.Open(model, Threads, precisions, SessionConfig);
}
