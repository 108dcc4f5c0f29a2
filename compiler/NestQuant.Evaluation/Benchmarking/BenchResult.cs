using NestQuant.Passes.Nesting;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>What was measured.</summary>
/// <param name="Tier">Name of the kernels that ran nested operators.</param>
/// <param name="Threads">Threads inside an operator.</param>
/// <param name="Runs">Counted runs behind every latency.</param>
/// <param name="Models">One entry for each model and precision, in the order of the command line.</param>
/// <param name="Switch">Cost of switching the precision; null for a model that has only one.</param>
public sealed record BenchResult(string Tier, int Threads, int Runs, IReadOnlyList<ModelResult> Models, SwitchResult? Switch)
{
    /// <summary>The nodes of the first model at its first precision, in the order of execution; null unless asked for.</summary>
    public IReadOnlyList<NodeResult>? Nodes { get; init; }
}

/// <summary>One node of a model as ONNX Runtime executes it.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Operator">Its operator.</param>
/// <param name="Shape">The shape of its first output, <c>1x56x56x64</c>.</param>
/// <param name="Implementation">Which implementation of an integer convolution or product runs; null for other operators.</param>
/// <param name="MedianMs">Median time in milliseconds, with profiling.</param>
/// <param name="GigaMultiplyAddsPerSecond">Products per second, in 10^9; null for other operators.</param>
/// <param name="Share">Its part of the time of all nodes, 0 to 1.</param>
public sealed record NodeResult(
    string Node,
    string Operator,
    string Shape,
    string? Implementation,
    double MedianMs,
    double? GigaMultiplyAddsPerSecond,
    double Share);

/// <summary>A model at one precision.</summary>
/// <param name="Model">Path of the model.</param>
/// <param name="Bits">Precision; null for a model without nested weights.</param>
/// <param name="Latency">Time of a run.</param>
/// <param name="SessionMs">Time to make a session, in milliseconds.</param>
/// <param name="Memory">Memory of a process that runs the model.</param>
public sealed record ModelResult(string Model, int? Bits, Latency Latency, double SessionMs, ModelMemory Memory);

/// <summary>The distribution of a run's time in milliseconds.</summary>
/// <param name="MedianMs">Median.</param>
/// <param name="P99Ms">The time that 99 of 100 runs do not exceed.</param>
/// <param name="LeastMs">The fastest run.</param>
public sealed record Latency(double MedianMs, double P99Ms, double LeastMs)
{
    /// <summary>Summarises at least one run.</summary>
    public static Latency Of(IReadOnlyList<TimeSpan> runs)
    {
        double[] sorted = [.. runs.Select(run => run.TotalMilliseconds).Order()];
        return new Latency(Median(sorted), sorted[(int)Math.Ceiling(0.99 * sorted.Length) - 1], sorted[0]);
    }

    /// <summary>The median of at least one number.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>Memory of a process of its own that has run a model a few times.</summary>
/// <param name="ResidentBytes">The whole process, mapped files included.</param>
/// <param name="ModelBytes">How much it grew by the model: without the .NET runtime and what ONNX Runtime needs for an empty
/// process.</param>
public sealed record ModelMemory(long ResidentBytes, long ModelBytes)
{
    private const int Runs = 3;

    /// <summary>Runs a model a few times in this process, which should have done nothing else, and measures it.</summary>
    /// <param name="model">Path of the model.</param>
    /// <param name="bits">Precision; null for a model without nested weights.</param>
    /// <param name="options">How to run it, with files for all its inputs.</param>
    /// <exception cref="Onnx.ModelException">The inputs do not fit the model.</exception>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">ONNX Runtime refuses the model or a run fails.</exception>
    public static ModelMemory OfThisProcess(string model, int? bits, BenchOptions options)
    {
        // What ONNX Runtime needs for any model is not the model's.
        ModelSession.CreateOptions().Dispose();
        long before = Resident();
        using ModelSession session = options.OpenSession(model, bits is { } width ? new NestedPrecisions([width]) : null);
        using PreparedRun run = session.Prepare(InputArguments.Read(options.Inputs, session.Inputs), bits);
        for (int i = 0; i < Runs; i++)
            run.Run().Dispose();
        long after = Resident();
        return new ModelMemory(after, after - before);
    }

    private static long Resident()
    {
        GC.Collect();
        return Environment.WorkingSet;
    }
}

/// <summary>
/// What the first run after a switch of the precision takes beyond an ordinary run at that precision, in microseconds; medians.
/// </summary>
/// <param name="PartToFullUs">From the lowest to the highest precision.</param>
/// <param name="FullToPartUs">From the highest to the lowest.</param>
public sealed record SwitchResult(double PartToFullUs, double FullToPartUs);
