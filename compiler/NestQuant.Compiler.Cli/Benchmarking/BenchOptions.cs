namespace NestQuant.Compiler.Cli.Benchmarking;

/// <summary>How models are measured.</summary>
/// <param name="Threads">Threads inside an operator.</param>
/// <param name="Runs">Counted runs of each model and precision.</param>
/// <param name="Batch">Extent of a first axis that the model leaves open.</param>
/// <param name="Inputs">The command line's <c>[NAME=]FILE</c>; inputs without one get seeded random values.</param>
internal sealed record BenchOptions(int Threads, int Runs, int Batch, IReadOnlyList<string> Inputs);
