using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Onnx;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Guard;

/// <summary>Runs a <see cref="SwitchedModel"/> on samples, and measures how far its outputs are from those of the float model.</summary>
/// <remarks>Errors add up sample by sample in their order, so that they do not depend on the number of threads.</remarks>
internal sealed class SwitchedNetwork : IDisposable
{
    private readonly CalibrationSamples _samples;
    private readonly ParallelOptions _parallel;
    private readonly SwitchedModel _model;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
    private readonly StoredValues _float, _unrounded;

    /// <summary>Runs the float model, and the other one with float activations.</summary>
    /// <param name="source">The float model.</param>
    /// <param name="model">The other one.</param>
    /// <param name="samples">Inputs of both.</param>
    /// <param name="customOps">Paths of libraries with operators that they use.</param>
    /// <param name="parallel">Degree of parallelism and cancellation.</param>
    /// <exception cref="ModelException">ONNX Runtime cannot run them.</exception>
    public SwitchedNetwork(
        ModelProto source, SwitchedModel model, CalibrationSamples samples, IReadOnlyList<string> customOps, ParallelOptions parallel)
    {
        _model = model;
        _samples = samples;
        _parallel = parallel;
        _float = new StoredValues(samples.Count, LevelCalibration.MemoryLimit / 2);
        _unrounded = new StoredValues(samples.Count, LevelCalibration.MemoryLimit / 2);
        _session = CalibrationSession.Open(model.Model, customOps);
        Outputs = [.. _session.OutputNames.Where(IsFloat)];
        using InferenceSession original = CalibrationSession.Open(source, customOps);
        ParallelRuns.For(samples.Count, parallel, sample =>
        {
            Store(_float, sample, Run(original, sample, isRounded: null));
            Store(_unrounded, sample, Run(_session, sample, static _ => false));
        });
        Unrounded = Sum([.. Enumerable.Range(0, samples.Count).Select(UnroundedErrors)]);
    }

    /// <summary>The float32 outputs.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <summary>The errors of every output over all samples with float activations.</summary>
    public OutputError[] Unrounded { get; }

    /// <summary>The errors of every output over evenly spaced samples.</summary>
    /// <param name="isRounded">Whether an activation, by its position, is rounded.</param>
    /// <param name="most">Most samples to look at.</param>
    /// <exception cref="ModelException">ONNX Runtime cannot run the model.</exception>
    public OutputError[] Measure(Predicate<int> isRounded, int most)
    {
        var errors = new OutputError[Math.Min(_samples.Count, most)][];
        ParallelRuns.For(errors.Length, _parallel, i =>
        {
            int sample = i * _samples.Count / errors.Length;
            using IDisposableReadOnlyCollection<OrtValue> results = Run(_session, sample, isRounded);
            errors[i] = [.. Outputs.Select((output, position) => ErrorOf(results[position], output, sample))];
        });
        return Sum(errors);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
        _float.Dispose();
        _unrounded.Dispose();
    }

    private OutputError[] Sum(OutputError[][] samples) =>
        [.. Outputs.Select((_, i) => samples.Aggregate(default(OutputError), (sum, sample) => sum + sample[i]))];

    private OutputError[] UnroundedErrors(int sample) =>
    [
        .. Outputs.Select(output =>
        {
            using StoredValues.Lease unrounded = _unrounded.Get(output, sample);
            return ErrorOf(unrounded.Value, output, sample);
        }),
    ];

    private bool IsFloat(string output) =>
        _session.OutputMetadata[output] is { IsTensor: true, ElementDataType: TensorElementType.Float };

    private IDisposableReadOnlyCollection<OrtValue> Run(InferenceSession session, int sample, Predicate<int>? isRounded)
    {
        string[] inputs = [.. _samples.Values.Names];
        StoredValues.Lease[] leases = Array.ConvertAll(inputs, input => _samples.Values.Get(input, sample));
        OrtValue[] switches = isRounded is null
            ? []
            : [.. _model.Activations.Select((_, i) => OrtValue.CreateTensorValueFromMemory<bool>([isRounded(i)], []))];
        try
        {
            return session.Run(
                _run,
                [.. inputs, .. _model.Activations.Take(switches.Length).Select(static activation => activation.Input)],
                [.. leases.Select(static lease => lease.Value), .. switches],
                Outputs);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException($"{_samples.Origins[sample]}: ONNX Runtime cannot run the model on this data: {e.Message}", e);
        }
        finally
        {
            Array.ForEach(leases, static lease => lease.Dispose());
            Array.ForEach(switches, static value => value.Dispose());
        }
    }

    /// <summary>Keeps results, whose collection is not disposed of.</summary>
    private void Store(StoredValues values, int sample, IDisposableReadOnlyCollection<OrtValue> results)
    {
        for (int i = 0; i < Outputs.Count; i++) values.Add(Outputs[i], sample, results[i]);
    }

    private OutputError ErrorOf(OrtValue result, string output, int sample)
    {
        using StoredValues.Lease expected = _float.Get(output, sample), unrounded = _unrounded.Get(output, sample);
        ReadOnlySpan<float> values = result.GetTensorDataAsSpan<float>();
        ReadOnlySpan<float> signal = expected.Value.GetTensorDataAsSpan<float>(), clean = unrounded.Value.GetTensorDataAsSpan<float>();
        // Data-dependent shapes have nothing to compare where rounding changes them.
        if (values.Length != signal.Length || clean.Length != signal.Length)
            return new OutputError(0, double.PositiveInfinity, double.PositiveInfinity);
        double energy = 0, noise = 0, added = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (!float.IsFinite(signal[i]) && values[i].Equals(signal[i])) continue;
            energy += (double)signal[i] * signal[i];
            noise += Square(values[i], signal[i]);
            added += Square(values[i], clean[i]);
        }

        return new OutputError(energy, noise, added);
    }

    private static double Square(float a, float b)
    {
        double difference = (double)a - b, square = difference * difference;
        return double.IsNaN(square) ? double.PositiveInfinity : square;
    }
}
