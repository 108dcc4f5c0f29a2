using NestQuant.Passes.Nesting;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>How models are measured.</summary>
/// <param name="Threads">Threads inside an operator.</param>
/// <param name="Runs">Counted runs of each model and precision.</param>
/// <param name="Batch">Extent of a first axis that the model leaves open.</param>
/// <param name="Inputs">The command line's <c>[NAME=]FILE</c>; inputs without one get seeded random values.</param>
/// <param name="SessionConfig">Entries of every session's configuration.</param>
public sealed record BenchOptions(
    int Threads, int Runs, int Batch, IReadOnlyList<string> Inputs, IReadOnlyList<(string Key, string Value)> SessionConfig)
{
    /// <summary>Whether to measure the nodes of the first model as well.</summary>
    public bool Nodes { get; init; }

    /// <summary>Makes a session with these options.</summary>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">ONNX Runtime refuses the model.</exception>
    public ModelSession OpenSession(string model, NestedPrecisions? precisions) =>
        ModelSession.Open(model, Threads, precisions, SessionConfig);
}
