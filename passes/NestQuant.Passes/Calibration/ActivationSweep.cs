using System.Collections.Concurrent;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Calibration;

/// <summary>
/// One sweep over a data set for the statistics of all float32 activations of a model: its inputs, and the values that nodes of the main
/// graph compute from them.
/// </summary>
/// <remarks>
/// Samples are run one by one where neither model nor data fixes the batch, so that the statistics of a sample do not depend on other
/// samples, and memory is that of one sample per thread. Statistics add up exactly in any order, so the result does not depend on the
/// number of threads.
/// </remarks>
internal static class ActivationSweep
{
    /// <summary>Name under which progress is reported.</summary>
    public const string Name = "calibration";

    /// <summary>Sweeps.</summary>
    /// <param name="context">A prepared model, which stays as it is.</param>
    /// <param name="data">Its inputs.</param>
    /// <param name="customOps">Paths of libraries with operators that it uses.</param>
    /// <param name="sourceSha256">SHA-256 of the source model's file; empty when it is not a file.</param>
    /// <exception cref="ModelException">The data does not fit the model, or a value of it or of an activation is not finite.</exception>
    public static CalibrationStatistics Run(ModelContext context, Dataset data, IReadOnlyList<string> customOps, string sourceSha256)
    {
        using ActivationCapture capture = Capture(context.Model, customOps);
        Accumulator[] all = [.. capture.FloatInputs.Concat(capture.Outputs).Select(static name => new Accumulator(name))];
        var accumulators = all.ToDictionary(static accumulator => accumulator.Name, StringComparer.Ordinal);
        var options = new ParallelOptions { MaxDegreeOfParallelism = context.Threads, CancellationToken = context.Cancellation };
        var gate = new Lock();
        long samples = 0;
        var batches = Partitioner.Create(
            CalibrationBatch.Read(data, capture.FixedBatch, size: 1), EnumerablePartitionerOptions.NoBuffering);
        ParallelRuns.Unwrapped(() => Parallel.ForEach(batches, options, batch =>
        {
            capture.Run(batch, (name, value) => accumulators[name].Add(value, batch));
            lock (gate)
            {
                samples += batch.Samples.Samples;
                context.Progress?.Report(new PassProgress(Name, samples, data.Count));
            }
        }));

        return new CalibrationStatistics(
            sourceSha256, samples, all.Select(static accumulator => KeyValuePair.Create(accumulator.Name, accumulator.Statistics)));
    }

    /// <summary>Loads a model with all of its activations as outputs.</summary>
    public static ActivationCapture Capture(ModelProto model, IReadOnlyList<string> customOps)
    {
        GraphProto graph = model.MainGraph();
        return new ActivationCapture(new GraphSnapshot(graph).Yielding(model, DataValues.Of(graph)), customOps);
    }

    /// <summary>Statistics of one activation, which several threads add to.</summary>
    private sealed class Accumulator(string name)
    {
        private readonly Lock _lock = new();

        public string Name => name;

        public ActivationStatistics Statistics { get; } = new();

        public void Add(OrtValue value, CalibrationBatch batch)
        {
            ReadOnlySpan<float> values = value.GetTensorDataAsSpan<float>();
            if (NonFinite.IsIn(values))
            {
                int element = NonFinite.IndexIn(values);
                throw new ModelException(
                    $"{batch.SampleOf(element, values.Length)}: the activation '{name}' has the value "
                        + $"{NonFinite.Name(values[element])}: the model overflows on this data");
            }

            lock (_lock) Statistics.Add(values);
        }
    }
}
