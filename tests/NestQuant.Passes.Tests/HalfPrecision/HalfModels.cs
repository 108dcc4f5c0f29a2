using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime.Tensors;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.HalfPrecision;
using NestQuant.Passes.Tests.Models;

namespace NestQuant.Passes.Tests.HalfPrecision;

/// <summary>Models of float32 in 16 bits.</summary>
internal static class HalfModels
{
    /// <summary>Rounds all float32 tensors of a model to values that a type of 16 bits holds.</summary>
    public static ModelProto Rounded(this ModelProto model, TensorDataType type = TensorDataType.Float16)
    {
        foreach (TensorProto tensor in TensorWalk.Tensors(model).Where(static tensor => tensor.DataType == TensorDataType.Float))
        {
            float[] values = Array.ConvertAll(tensor.ToFloats(), value => Round(value, type));
            tensor.RawData = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        }

        return model;
    }

    /// <summary>The same model in 16 bits; rounds its tensors.</summary>
    public static ModelProto InHalf(this ModelProto model, TensorDataType type = TensorDataType.Float16)
    {
        // What else a Constant may hold is float32 in any model.
        foreach (NodeProto node in model.AllNodes().Where(static node => node.GetAttribute("value_float") is not null))
            node.Attribute[0] = AttributeProto.Tensor("value", TensorProto.FromFloats("", [], [node.GetFloat("value_float", 0)]));
        foreach (TensorProto tensor in TensorWalk.Tensors(model.Rounded(type)).Where(static t => t.DataType == TensorDataType.Float))
        {
            TensorProto half = HalfTensor.Narrow(tensor, type, tensor.Name)!;
            tensor.DataType = type;
            tensor.RawData = half.RawData;
        }

        foreach (NodeProto node in model.AllNodes().Where(static node => node.Is("Cast") && node.GetInt("to", 0) == 1))
            node.SetAttribute(AttributeProto.Int("to", (long)type));
        foreach (ValueInfoProto output in model.Graph!.Output)
            output.Type ??= new TypeProto { TensorType = new TypeProto.Tensor { ElemType = TensorDataType.Float } };
        foreach (GraphView view in GraphView.Of(model.Graph).WithInner())
            foreach (ValueInfoProto value in view.Graph.Input.Concat(view.Graph.Output).Concat(view.Graph.ValueInfo))
                if (value.Type?.TensorType is { ElemType: TensorDataType.Float } tensor) tensor.ElemType = type;
        return model;
    }

    /// <summary>A float32 value in 16 bits, rounded to nearest; others stay.</summary>
    public static TensorValue InHalf(this TensorValue value, TensorDataType type = TensorDataType.Float16)
    {
        if (value.Type != TensorElementType.Float) return value;
        float[] values = Array.ConvertAll(value.Floats, number => Round(number, type));
        TensorProto half = HalfTensor.Narrow(TensorProto.FromFloats("", [values.Length], values), type, "")!;
        return new TensorValue((TensorElementType)(int)type, value.Shape, half.GetBytes().ToArray());
    }

    /// <summary>A float32 value rounded to what a type of 16 bits holds; others stay.</summary>
    public static TensorValue Rounded(this TensorValue value, TensorDataType type = TensorDataType.Float16) =>
        value.Type == TensorElementType.Float
            ? TensorValue.Of(value.Shape, Array.ConvertAll(value.Floats, number => Round(number, type)))
            : value;

    /// <summary>A value of 16 bits in float32.</summary>
    public static float[] Widened(this TensorValue value)
    {
        TensorProto tensor = TensorProto.FromBytes("", (TensorDataType)(int)value.Type, [value.Bytes.Length / 2], value.Bytes);
        HalfTensor.Widen(tensor);
        return tensor.ToFloats();
    }

    private static float Round(float value, TensorDataType type)
    {
        if (type == TensorDataType.Float16) return (float)(Half)value;
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }
}
