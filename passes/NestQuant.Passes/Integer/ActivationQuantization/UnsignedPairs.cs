using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.ActivationQuantization;

/// <summary>
/// Turns a model's own int8 pairs into uint8 pairs, which integer operators read. Adding 128 to every integer and to the zero point changes
/// neither rounding nor saturation, so the dequantized values are the same, bit for bit.
/// <code>
/// y = DequantizeLinear (QuantizeLinear (x, scale, int8 zero_point), scale, int8 zero_point)
/// y = DequantizeLinear (QuantizeLinear (x, scale, uint8 zero_point), scale, uint8 zero_point)
/// </code>
/// </summary>
internal static class UnsignedPairs
{
    private const int Offset = 128;

    /// <summary>
    /// Rewrites the pairs on activations that have constant per-tensor parameters and whose integers only their own DequantizeLinear reads.
    /// </summary>
    /// <returns>The QuantizeLinear nodes of the pairs.</returns>
    public static IReadOnlyList<NodeProto> Rewrite(GraphView view, ModelProto model)
    {
        NodeProto[] quantizers = [.. view.Graph.Node.Where(node => node.Is("QuantizeLinear") && IsSignedPair(node, view))];
        if (quantizers.Length == 0) return quantizers;
        var names = new UniqueNames(model);
        var unsigned = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (NodeProto quantize in quantizers)
        {
            string zeroPoint = quantize.Input[2];
            if (!unsigned.TryGetValue(zeroPoint, out string? replacement))
            {
                byte value = (byte)((sbyte)view.Constant(zeroPoint)!.GetBytes().Span[0] + Offset);
                TensorProto tensor = TensorProto.FromBytes(names.Next(zeroPoint + "_unsigned"), TensorDataType.UInt8, [], [value]);
                view.AddInitializer(tensor);
                unsigned[zeroPoint] = replacement = tensor.Name;
            }

            foreach (NodeProto dequantize in view.Consumers(quantize.Output[0]).ToArray()) view.SetInput(dequantize, 2, replacement);
            view.SetInput(quantize, 2, replacement);
            quantize.Attribute.RemoveAll(static attribute => attribute.Name == "output_dtype");
        }

        return quantizers;
    }

    private static bool IsSignedPair(NodeProto quantize, GraphView view)
    {
        string integers = quantize.Output[0];
        return view.Constant(quantize.Input[0]) is null
            && !view.IsOutput(integers)
            && view.Constant(quantize.InputAt(1)) is { DataType: TensorDataType.Float, ElementCount: 1 }
            && view.Constant(quantize.InputAt(2)) is { DataType: TensorDataType.Int8, ElementCount: 1 }
            && view.Consumers(integers).All(
                consumer => consumer.Is("DequantizeLinear")
                    && consumer.InputAt(1) == quantize.Input[1]
                    && consumer.InputAt(2) == quantize.Input[2]);
    }
}
