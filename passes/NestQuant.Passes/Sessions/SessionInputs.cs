using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Passes.Sessions;

/// <summary>
/// The inputs of an ONNX Runtime session, and their values from arrays. Element types have the same numbers there and in the ONNX schema.
/// </summary>
internal static class SessionInputs
{
    /// <summary>The inputs that a session must be fed, in the model's order.</summary>
    /// <param name="session">The session.</param>
    /// <exception cref="ModelException">One of them cannot be fed from an array.</exception>
    public static IReadOnlyList<ModelInput> Of(InferenceSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        return [.. session.InputNames.Select(name => Of(name, session.InputMetadata[name]))];
    }

    /// <summary>Copies an array into a value that the caller disposes of.</summary>
    /// <param name="array">The array.</param>
    public static OrtValue ToOrtValue(this NpyArray array)
    {
        ArgumentNullException.ThrowIfNull(array);
        OrtValue value = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, (TensorElementType)(int)array.Type.ToOnnx(), [.. array.Shape]);
        array.Bytes.CopyTo(value.GetTensorMutableRawData());
        return value;
    }

    private static ModelInput Of(string name, NodeMetadata metadata) => metadata.IsTensor
        ? ModelInput.Of(name, (TensorDataType)(int)metadata.ElementDataType, metadata.Dimensions.Select(static extent => (long)extent))
        : ModelInput.Of(name, type: null, []);
}
