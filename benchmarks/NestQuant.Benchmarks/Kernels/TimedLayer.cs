using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps;

namespace NestQuant.Benchmarks.Kernels;

/// <summary>A session of one thread over a layer's model, with input and output in place, and the times of its runs.</summary>
internal sealed class TimedLayer : IDisposable
{
    private const int WarmUpRounds = 3;
    private const double MillisecondsPerTurn = 4;

    private static readonly string[] InputNames = ["X"], OutputNames = ["Y"];

    private readonly RunOptions _runOptions = new();
    private readonly InferenceSession _session;
    private readonly OrtValue[] _inputs;
    private readonly OrtValue[] _outputs;
    private readonly List<double> _milliseconds = [];

    /// <summary>Opens the session and runs it once.</summary>
    /// <param name="model">One input X of fixed shape, one output Y.</param>
    /// <param name="entries">Session configuration entries: name and value.</param>
    public TimedLayer(ModelProto model, params (string Name, string Value)[] entries)
    {
        using SessionOptions options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 }.RegisterNestQuantOps();
        foreach ((string name, string value) in entries)
            options.AddSessionConfigEntry(name, value);
        _session = new InferenceSession(ModelFile.ToBytes(model), options);
        NodeMetadata x = _session.InputMetadata["X"];
        long[] shape = [.. x.Dimensions.Select(static d => (long)d)];
        Random random = new(7);
        byte[] bytes = new byte[shape.Aggregate(1L, static (product, d) => product * d)];
        random.NextBytes(bytes);
        _inputs = x.ElementType == typeof(byte)
            ? [OrtValue.CreateTensorValueFromMemory(bytes, shape)]
            : [OrtValue.CreateTensorValueFromMemory(bytes.Select(static b => b / 64f - 2).ToArray(), shape)];

        using IDisposableReadOnlyCollection<OrtValue> first = _session.Run(_runOptions, InputNames, _inputs, OutputNames);
        long[] outputShape = first[0].GetTensorTypeAndShape().Shape;
        int length = (int)outputShape.Aggregate(1L, static (product, d) => product * d);
        _outputs = x.ElementType == typeof(byte)
            ? [OrtValue.CreateTensorValueFromMemory(new byte[length], outputShape)]
            : [OrtValue.CreateTensorValueFromMemory(new float[length], outputShape)];
    }

    /// <summary>Median of the counted runs.</summary>
    public double Median => Statistics.Median(_milliseconds);

    /// <summary>Least of the counted runs: what the layer costs when nothing else disturbs it.</summary>
    public double Least => _milliseconds.Min();

    /// <summary>Runs a few times in a row; the first run, which finds the caches as another session left them, does not count.</summary>
    /// <param name="runs">Counted runs.</param>
    public void Run(int runs)
    {
        for (int run = 0; run <= runs; run++)
        {
            long start = Stopwatch.GetTimestamp();
            _session.Run(_runOptions, InputNames, _inputs, OutputNames, _outputs);
            if (run > 0)
                _milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
    }

    /// <summary>Runs layers in turn, round after round, so that what else the machine does falls on all alike.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="rounds">Counted rounds.</param>
    public static void RunInTurn(TimedLayer[] layers, int rounds)
    {
        foreach (TimedLayer layer in layers)
            layer.Run(WarmUpRounds);
        int runs = (int)Math.Clamp(MillisecondsPerTurn / layers.Average(static l => l.Least), 1, 50);
        for (int round = 0; round < rounds; round++)
        {
            foreach (TimedLayer layer in layers)
                layer.Run(runs);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OrtValue value in (OrtValue[])[.. _inputs, .. _outputs])
            value.Dispose();
        _session.Dispose();
        _runOptions.Dispose();
    }
}
