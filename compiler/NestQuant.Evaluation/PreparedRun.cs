using System.Diagnostics;
using Microsoft.ML.OnnxRuntime;

namespace NestQuant.Evaluation;

/// <summary>A run whose inputs ONNX Runtime already has, so that it can be repeated without converting them again.</summary>
public sealed class PreparedRun(
    InferenceSession session, RunOptions options, IReadOnlyList<string> names, IReadOnlyList<OrtValue> values,
    IReadOnlyList<string> outputs) : IDisposable
{
    /// <summary>Runs the model; the caller disposes of the outputs that were asked for.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    public IDisposableReadOnlyCollection<OrtValue> Run() => session.Run(options, names, values, outputs);

    /// <summary>Runs the model for its time alone.</summary>
    /// <exception cref="OnnxRuntimeException">The run failed.</exception>
    public TimeSpan Time()
    {
        long begin = Stopwatch.GetTimestamp();
        using IDisposableReadOnlyCollection<OrtValue> results = Run();
        return Stopwatch.GetElapsedTime(begin);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (OrtValue value in values)
            value.Dispose();
    }
}
