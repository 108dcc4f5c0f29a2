using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Nesting;

/// <summary>Float values that are another name for quantized ones: the results of DequantizeLinear.</summary>
internal static class DequantizedActivation
{
    /// <summary>
    /// The uint8 form, with constant per-tensor scale and zero point, that a value was dequantized from; null for any other value.
    /// </summary>
    /// <param name="view">The graph that reads the value; an outer graph may define it.</param>
    /// <param name="value">Name of the value.</param>
    public static QuantizedActivations.Quantized? Of(GraphView view, string value)
    {
        if (view.Owner(value) is not { } owner || owner.Producer(value) is not { } node || !node.Is("DequantizeLinear")) return null;
        bool isUInt8 = owner.Constant(node.InputAt(1)) is { DataType: TensorDataType.Float, ElementCount: 1 }
            && owner.Constant(node.InputAt(2)) is { DataType: TensorDataType.UInt8, ElementCount: 1 };
        return isUInt8 ? new QuantizedActivations.Quantized(node.Input[0], node.Input[1], node.Input[2]) : null;
    }
}
