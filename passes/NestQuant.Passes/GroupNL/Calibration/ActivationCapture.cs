using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Compiler.Data;
using NestQuant.Compiler.Onnx;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>Runs a model in ONNX Runtime for one of its values.</summary>
/// <remarks>A session uses one thread, so that the values do not depend on how many there are.</remarks>
internal sealed class ActivationCapture : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };

    /// <summary>Loads a model with a single output.</summary>
    /// <exception cref="ModelException">ONNX Runtime refuses the model.</exception>
    public ActivationCapture(ModelProto model)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        options.RegisterNestQuantOps();
        try
        {
            _session = new InferenceSession(ModelFile.ToBytes(model), options);
        }
        catch (OnnxRuntimeException e)
        {
            _run.Dispose();
            throw new ModelException($"the model cannot be calibrated: ONNX Runtime does not load it: {e.Message}", e);
        }
    }

    /// <summary>Samples that every run takes when the model fixes the first axis of its first input; null when it is open.</summary>
    public int? FixedBatch => _session.InputNames is [var first, ..] && _session.InputMetadata[first].Dimensions is [> 0 and var batch, ..] ? batch : null;

    /// <summary>The value for one batch, float32, with its shape.</summary>
    /// <param name="batch">Arrays by the names of the inputs, or in their order.</param>
    /// <param name="source">Where the batch comes from, for messages.</param>
    /// <exception cref="ModelException">The data does not fit the model, or is not finite; or the run fails.</exception>
    public (float[] Values, long[] Shape) Run(DatasetBatch batch, string source)
    {
        var inputs = new List<OrtValue>();
        try
        {
            foreach (string name in _session.InputNames) inputs.Add(Feed(name, batch, source));
            using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(_run, _session.InputNames, inputs, _session.OutputNames);
            return (outputs[0].GetTensorDataAsSpan<float>().ToArray(), outputs[0].GetTensorTypeAndShape().Shape);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException($"{source}: ONNX Runtime cannot run the model on this data: {e.Message}", e);
        }
        finally
        {
            inputs.ForEach(static input => input.Dispose());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }

    private OrtValue Feed(string name, DatasetBatch batch, string source)
    {
        IReadOnlyList<string> names = _session.InputNames;
        int index = batch.Inputs.Select(static input => input.Name).ToList().IndexOf(name);
        if (index < 0 && batch.Inputs.Count == names.Count && batch.Inputs[names.ToList().IndexOf(name)].Name is null) index = names.ToList().IndexOf(name);
        if (index < 0) throw new ModelException($"{source}: no data for input '{name}': the model takes {string.Join(", ", names.Select(static input => $"'{input}'"))}");

        NodeMetadata metadata = _session.InputMetadata[name];
        if (!metadata.IsTensor || !NpyTypes.TryFromOnnx((TensorDataType)(int)metadata.ElementDataType, out NpyType type))
            throw new ModelException($"input '{name}' is not a tensor of numbers: arrays cannot feed it");
        NpyArray array = batch.Inputs[index].Array.ConvertTo(type);
        if (!Fits(metadata.Dimensions, array.Shape))
        {
            string wanted = string.Join(", ", metadata.Dimensions.Select(static extent => extent < 0 ? "?" : $"{extent}"));
            throw new ModelException($"{source}: input '{name}' takes shape [{wanted}], the data has [{string.Join(", ", array.Shape)}]");
        }

        if (type is NpyType.Float32 or NpyType.Float64 && !Array.TrueForAll(array.ToFloats(), float.IsFinite))
            throw new ModelException($"{source}: the data for input '{name}' has values that are not finite: calibration needs real inputs");
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, (TensorElementType)(int)type.ToOnnx(), [.. array.Shape]);
        array.Bytes.CopyTo(value.GetTensorMutableRawData());
        return value;
    }

    private static bool Fits(int[] wanted, IReadOnlyList<long> shape) =>
        wanted.Length == shape.Count && !wanted.Where((extent, axis) => extent >= 0 && extent != shape[axis]).Any();
}
