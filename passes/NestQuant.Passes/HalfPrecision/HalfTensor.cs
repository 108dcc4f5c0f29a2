using System.Runtime.InteropServices;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.HalfPrecision;

/// <summary>Tensors of the floating types of 16 bits, which float32 holds exactly.</summary>
internal static class HalfTensor
{
    private const int Bfloat16Shift = 16;

    /// <summary>Whether a type is a floating type of 16 bits.</summary>
    public static bool IsHalf(TensorDataType type) => type is TensorDataType.Float16 or TensorDataType.BFloat16;

    /// <summary>Makes a tensor float32; its values stay.</summary>
    public static void Widen(TensorProto tensor)
    {
        ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(tensor.GetBytes().Span);
        var bytes = new byte[halves.Length * sizeof(float)];
        Span<float> values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        for (int i = 0; i < halves.Length; i++) values[i] = ToFloat(halves[i], tensor.DataType);
        tensor.RawData = bytes;
        tensor.DataType = TensorDataType.Float;
    }

    /// <summary>A float32 tensor in a type of 16 bits, under another name; null where a value would change.</summary>
    public static TensorProto? Narrow(TensorProto tensor, TensorDataType type, string name)
    {
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(tensor.GetBytes().Span);
        var bytes = new byte[values.Length * sizeof(ushort)];
        Span<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes.AsSpan());
        for (int i = 0; i < values.Length; i++)
        {
            halves[i] = FromFloat(values[i], type);
            if (BitConverter.SingleToUInt32Bits(ToFloat(halves[i], type)) != BitConverter.SingleToUInt32Bits(values[i])) return null;
        }

        return TensorProto.FromBytes(name, type, CollectionsMarshal.AsSpan(tensor.Dims), bytes);
    }

    /// <summary>A node that converts a value to another type.</summary>
    public static NodeProto Cast(string input, string output, TensorDataType type, UniqueNames names)
    {
        var node = new NodeProto { OpType = "Cast", Name = names.Next(output + "_cast") };
        node.Input.Add(input);
        node.Output.Add(output);
        node.Attribute.Add(AttributeProto.Int("to", (long)type));
        return node;
    }

    private static float ToFloat(ushort half, TensorDataType type) => type == TensorDataType.Float16
        ? (float)BitConverter.UInt16BitsToHalf(half)
        : BitConverter.UInt32BitsToSingle((uint)half << Bfloat16Shift);

    private static ushort FromFloat(float value, TensorDataType type) => type == TensorDataType.Float16
        ? BitConverter.HalfToUInt16Bits((Half)value)
        : (ushort)(BitConverter.SingleToUInt32Bits(value) >> Bfloat16Shift);
}
