using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Passes.Sessions;

namespace NestQuant.Passes.Calibration;

/// <summary>Runs a model in ONNX Runtime and gives access to its float32 inputs and outputs.</summary>
/// <remarks>Several threads may call Run at once.</remarks>
internal sealed class ActivationCapture : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

    /// <summary>Loads a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="customOps">Paths of libraries with operators that it uses.</param>
    /// <exception cref="ModelException">ONNX Runtime refuses the model or a library.</exception>
    public ActivationCapture(ModelProto model, params IReadOnlyList<string> customOps)
    {
        try
        {
            _session = CalibrationSession.Open(model, customOps);
            Inputs = SessionInputs.Of(_session);
            Outputs = [.. _session.OutputNames.Where(name => IsFloat(_session.OutputMetadata[name]))];
        }
        catch
        {
            _session?.Dispose();
            _run.Dispose();
            throw;
        }
    }

    /// <summary>The inputs, in the model's order.</summary>
    public IReadOnlyList<ModelInput> Inputs { get; }

    /// <summary>The inputs that are float32.</summary>
    public IEnumerable<string> FloatInputs =>
        Inputs.Where(static input => input.Type == NpyType.Float32).Select(static input => input.Name);

    /// <summary>The outputs that are float32, which runs yield.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <summary>Samples that every run takes when the model fixes the first axis of its first input; null when it is open.</summary>
    public int? FixedBatch => Inputs is [var first, ..] ? first.FixedBatch : null;

    /// <summary>Runs the model once.</summary>
    /// <param name="batch">Arrays by the names of the inputs, or in their order.</param>
    /// <param name="read">Receives every float32 input and output by name; they are valid only until the run returns.</param>
    /// <exception cref="ModelException">The data does not fit the model, or is not finite; or the run fails.</exception>
    public void Run(CalibrationBatch batch, Action<string, OrtValue> read)
    {
        OrtValue[] inputs = SampleFeed.Of(Inputs, batch);
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(_run, _session.InputNames, inputs, Outputs);
            for (int i = 0; i < inputs.Length; i++)
                if (Inputs[i].Type == NpyType.Float32) read(Inputs[i].Name, inputs[i]);
            for (int i = 0; i < outputs.Count; i++) read(Outputs[i], outputs[i]);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException($"{batch.Source}: ONNX Runtime cannot run the model on this data: {e.Message}", e);
        }
        finally
        {
            Array.ForEach(inputs, static input => input.Dispose());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }

    private static bool IsFloat(NodeMetadata metadata) => metadata.IsTensor && metadata.ElementDataType == TensorElementType.Float;
}
