using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Constant inputs that hold one value per axis, or axis numbers.</summary>
internal static class ConstantAxes
{
    /// <summary>The integers of a constant input of type int64 or int32; null where it is left out.</summary>
    public static long[]? Integers(NodeProto node, int input, GraphView view) => view.Constant(node.InputAt(input)) switch
    {
        { DataType: TensorDataType.Int64 } tensor => tensor.ToInt64s(),
        { DataType: TensorDataType.Int32 } tensor => Array.ConvertAll(tensor.ToInt32s(), static value => (long)value),
        _ => null,
    };
}
