using Microsoft.ML.OnnxRuntime;

namespace NestQuant.TestSupport;

/// <summary>Runs of a session with one output.</summary>
public static class SessionRuns
{
    public static OrtValue Tensor<T>(T[] data, params long[] shape)
        where T : unmanaged => OrtValue.CreateTensorValueFromMemory(data, shape);

    public static (float[] Data, long[] Shape) Run(this InferenceSession session, params (string Name, OrtValue Value)[] inputs) =>
        session.Run<float>(inputs);

    public static (T[] Data, long[] Shape) Run<T>(this InferenceSession session, params (string Name, OrtValue Value)[] inputs)
        where T : unmanaged
    {
        using RunOptions options = new();
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(
                options, [.. inputs.Select(i => i.Name)], [.. inputs.Select(i => i.Value)], session.OutputNames);
            return (outputs[0].GetTensorDataAsSpan<T>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
        }
        finally
        {
            foreach ((_, OrtValue value) in inputs)
                value.Dispose();
        }
    }
}
