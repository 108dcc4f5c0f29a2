using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.Tests.Models;

/// <summary>Runs models in ONNX Runtime, with NestQuant's operators registered.</summary>
internal static class ModelRunner
{
    /// <summary>Creates a session, which is ONNX Runtime's own check of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="threads">Threads of one operator.</param>
    /// <param name="optimize">False for the nodes as they stand: with its optimizations ONNX Runtime quantizes float weights behind a
    /// DequantizeLinear.</param>
    public static InferenceSession Open(ModelProto model, int threads = 1, bool optimize = true)
    {
        using var options = new SessionOptions { IntraOpNumThreads = threads, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        if (!optimize) options.GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL;
        options.RegisterNestQuantOps();
        return new InferenceSession(ModelFile.ToBytes(model), options);
    }

    public static Dictionary<string, TensorValue> Run(ModelProto model, params (string Name, TensorValue Value)[] feeds)
    {
        using InferenceSession session = Open(model);
        return Run(session, feeds);
    }

    public static Dictionary<string, TensorValue> Run(InferenceSession session, params (string Name, TensorValue Value)[] feeds)
    {
        OrtValue[] inputs = Array.ConvertAll(feeds, static feed => feed.Value.ToOrtValue());
        try
        {
            using var run = new RunOptions();
            string[] names = [.. session.OutputNames];
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(
                run, [.. feeds.Select(static feed => feed.Name)], inputs, names);
            return names.Zip(outputs, static (name, value) => (name, TensorValue.From(value)))
                .ToDictionary(static pair => pair.name, static pair => pair.Item2, StringComparer.Ordinal);
        }
        finally
        {
            foreach (OrtValue input in inputs) input.Dispose();
        }
    }

    public static ModelProto Clone(ModelProto model) => ModelFile.Load(ModelFile.ToBytes(model));
}
