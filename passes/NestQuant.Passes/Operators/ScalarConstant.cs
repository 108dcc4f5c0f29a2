using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Operators;

/// <summary>Constants of one element.</summary>
internal static class ScalarConstant
{
    /// <summary>The value of a float32 constant with one element; null for anything else.</summary>
    public static float? Float(GraphView view, string name) =>
        name.Length > 0 && view.Constant(name) is { DataType: TensorDataType.Float, ElementCount: 1 } tensor ? tensor.ToFloats()[0] : null;
}
