using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Evaluation;

/// <summary>ONNX Runtime's values as arrays. Element types have the same numbers there and in the ONNX schema.</summary>
internal static class TensorValue
{
    /// <summary>Copies a tensor out.</summary>
    /// <exception cref="ModelException">The value is not a tensor of numbers that NumPy has a type for.</exception>
    public static NpyArray ToArray(OrtValue value, string name)
    {
        if (!value.IsTensor)
            throw new ModelException($"output '{name}' is not a tensor");
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        return NpyTypes.TryFromOnnx((TensorDataType)(int)info.ElementDataType, out NpyType type)
            ? new NpyArray(type, info.Shape, value.GetTensorMutableRawData().ToArray())
            : throw new ModelException($"output '{name}' has element type {info.ElementDataType}, which a .npy file cannot hold");
    }
}
