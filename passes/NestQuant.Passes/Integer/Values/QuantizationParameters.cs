using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Values;

/// <summary>
/// The constant parameters that relate a uint8 tensor to the float tensor it stands for: <c>x = (q - ZeroPoint) * Scale</c>.
/// </summary>
/// <param name="Scale">Step of the float values, positive and finite.</param>
/// <param name="ZeroPoint">The integer that stands for 0.</param>
/// <param name="ScaleName">The initializer that holds the scale.</param>
/// <param name="ZeroPointName">The initializer that holds the zero point; empty where it is left out, which means 0.</param>
internal sealed record QuantizationParameters(float Scale, byte ZeroPoint, string ScaleName, string ZeroPointName)
{
    /// <summary>Reads the parameters of a QuantizeLinear or DequantizeLinear.</summary>
    /// <returns>Null where they are not constant, not per tensor, or not those of a uint8 tensor.</returns>
    public static QuantizationParameters? Of(NodeProto node, GraphView view)
    {
        if (node.Output is not [{ Length: > 0 }] || node.InputAt(0).Length == 0) return null;
        if (view.Constant(node.InputAt(1)) is not { DataType: TensorDataType.Float, ElementCount: 1 } scale) return null;
        float step = scale.ToFloats()[0];
        if (!(float.IsFinite(step) && step > 0) || node.GetInt("block_size", 0) != 0) return null;
        string zeroPointName = node.InputAt(2);
        if (zeroPointName.Length == 0)
        {
            // Without a zero point QuantizeLinear yields uint8 unless output_dtype is set; the input type of DequantizeLinear is then
            // unknown.
            bool isUInt8 = node.Is("QuantizeLinear")
                && node.GetInt("output_dtype", (long)TensorDataType.UInt8) == (long)TensorDataType.UInt8;
            return isUInt8 ? new QuantizationParameters(step, 0, scale.Name, "") : null;
        }

        return view.Constant(zeroPointName) is { DataType: TensorDataType.UInt8, ElementCount: 1 } zeroPoint
            ? new QuantizationParameters(step, zeroPoint.GetBytes().Span[0], scale.Name, zeroPointName)
            : null;
    }

    /// <summary>The integer for a float value: rounded half to even, saturated.</summary>
    public byte Quantize(double value) =>
        (byte)Math.Clamp(Math.Round(value / Scale, MidpointRounding.ToEven) + ZeroPoint, byte.MinValue, byte.MaxValue);

    /// <summary>The float value of an integer.</summary>
    public double Dequantize(int quantized) => (quantized - ZeroPoint) * (double)Scale;

    /// <summary>Whether the same integers stand for the same values.</summary>
    public bool SameAs(QuantizationParameters other) => Scale == other.Scale && ZeroPoint == other.ZeroPoint;
}
