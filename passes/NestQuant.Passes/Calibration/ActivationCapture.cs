using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Compiler.Data;
using NestQuant.Compiler.Onnx;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.Calibration;

/// <summary>Runs a model in ONNX Runtime for its float32 outputs, which may be any of its values.</summary>
/// <remarks>A run uses one thread, so that the values do not depend on how many there are. Several threads may run at once.</remarks>
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
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        options.RegisterNestQuantOps();
        try
        {
            foreach (string library in customOps) Register(library, options);
            _session = new InferenceSession(ModelFile.ToBytes(model), options);
            Outputs = [.. _session.OutputNames.Where(name => IsFloat(_session.OutputMetadata[name]))];
        }
        catch (OnnxRuntimeException e)
        {
            _run.Dispose();
            throw new ModelException($"the model cannot be calibrated: ONNX Runtime does not load it: {e.Message}", e);
        }
        catch
        {
            _run.Dispose();
            throw;
        }
    }

    /// <summary>What ONNX Runtime says of the inputs, by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Inputs => _session.InputMetadata;

    /// <summary>The inputs that are float32.</summary>
    public IEnumerable<string> FloatInputs => _session.InputNames.Where(name => IsFloat(Inputs[name]));

    /// <summary>The outputs that are float32: those that runs yield.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <summary>Samples that every run takes when the model fixes the first axis of its first input; null when it is open.</summary>
    public int? FixedBatch => _session.InputNames is [var first, ..] && Inputs[first].Dimensions is [> 0 and var batch, ..] ? batch : null;

    /// <summary>Runs the model once.</summary>
    /// <param name="batch">Arrays by the names of the inputs, or in their order.</param>
    /// <param name="read">Is given every float32 input and output by name; they are gone when the run returns.</param>
    /// <exception cref="ModelException">The data does not fit the model, or is not finite; or the run fails.</exception>
    public void Run(CalibrationBatch batch, Action<string, OrtValue> read)
    {
        var inputs = new List<OrtValue>();
        try
        {
            foreach (string name in _session.InputNames) inputs.Add(Feed(name, batch));
            using IDisposableReadOnlyCollection<OrtValue> outputs = _session.Run(_run, _session.InputNames, inputs, Outputs);
            for (int i = 0; i < inputs.Count; i++)
                if (IsFloat(Inputs[_session.InputNames[i]])) read(_session.InputNames[i], inputs[i]);
            for (int i = 0; i < outputs.Count; i++) read(Outputs[i], outputs[i]);
        }
        catch (OnnxRuntimeException e)
        {
            throw new ModelException($"{batch.Source}: ONNX Runtime cannot run the model on this data: {e.Message}", e);
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

    private OrtValue Feed(string name, CalibrationBatch batch)
    {
        IReadOnlyList<string> names = _session.InputNames;
        IReadOnlyList<NamedArray> arrays = batch.Samples.Inputs;
        int index = arrays.Select(static input => input.Name).ToList().IndexOf(name);
        if (index < 0 && arrays.Count == names.Count && arrays[names.ToList().IndexOf(name)].Name is null) index = names.ToList().IndexOf(name);
        if (index < 0) throw new ModelException($"{batch.Source}: no data for input '{name}': the model takes {string.Join(", ", names.Select(static input => $"'{input}'"))}");

        NodeMetadata metadata = Inputs[name];
        if (!metadata.IsTensor || !NpyTypes.TryFromOnnx((TensorDataType)(int)metadata.ElementDataType, out NpyType type))
            throw new ModelException($"input '{name}' is not a tensor of numbers: arrays cannot feed it");
        NpyArray array = batch.Samples.Inputs[index].Array.ConvertTo(type);
        if (!Fits(metadata.Dimensions, array.Shape))
        {
            string wanted = string.Join(", ", metadata.Dimensions.Select(static extent => extent < 0 ? "?" : $"{extent}"));
            throw new ModelException($"{batch.Source}: input '{name}' takes shape [{wanted}], the data has [{string.Join(", ", array.Shape)}]");
        }

        if (type is NpyType.Float32 or NpyType.Float64) VerifyFinite(array.ToFloats(), name, batch);
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, (TensorElementType)(int)type.ToOnnx(), [.. array.Shape]);
        array.Bytes.CopyTo(value.GetTensorMutableRawData());
        return value;
    }

    private static void VerifyFinite(ReadOnlySpan<float> values, string name, CalibrationBatch batch)
    {
        if (TensorPrimitives.IsFiniteAll(values)) return;
        int element = NonFinite.IndexIn(values);
        throw new ModelException($"{batch.SampleOf(element, values.Length)}: the data for input '{name}' has the value {NonFinite.Name(values[element])}, which is not finite: calibration needs real inputs");
    }

    private static void Register(string library, SessionOptions options)
    {
        // A name without a folder would be looked for along the system's library path.
        string path = Path.GetFullPath(library);
        if (!File.Exists(path)) throw new ModelException($"{library}: no such operator library");
        try
        {
            options.RegisterCustomOpLibrary(path);
        }
        catch (Exception e) when (e is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new ModelException($"{library}: is no library of ONNX Runtime operators: {e.Message}", e);
        }
    }

    private static bool IsFloat(NodeMetadata metadata) => metadata.IsTensor && metadata.ElementDataType == TensorElementType.Float;

    private static bool Fits(int[] wanted, IReadOnlyList<long> shape) =>
        wanted.Length == shape.Count && !wanted.Where((extent, axis) => extent >= 0 && extent != shape[axis]).Any();
}
