using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace NestQuant.Passes.Tests.Models;

/// <summary>A tensor that goes into or comes out of a session.</summary>
internal sealed record TensorValue(TensorElementType Type, long[] Shape, byte[] Bytes)
{
    public float[] Floats => Type == TensorElementType.Float
        ? MemoryMarshal.Cast<byte, float>(Bytes).ToArray()
        : throw new InvalidOperationException($"the tensor is of type {Type}");

    public static TensorValue Of(long[] shape, params ReadOnlySpan<float> values) =>
        new(TensorElementType.Float, shape, MemoryMarshal.AsBytes(values).ToArray());

    public static TensorValue OfInt32(long[] shape, params ReadOnlySpan<int> values) =>
        new(TensorElementType.Int32, shape, MemoryMarshal.AsBytes(values).ToArray());

    public static TensorValue OfInt64(long[] shape, params ReadOnlySpan<long> values) =>
        new(TensorElementType.Int64, shape, MemoryMarshal.AsBytes(values).ToArray());

    public static TensorValue OfBool(bool value) => new(TensorElementType.Bool, [], [value ? (byte)1 : (byte)0]);

    /// <summary>Seeded values in [-1, 1).</summary>
    public static TensorValue Random(params long[] shape)
    {
        var random = new Random(7);
        var values = new float[shape.Aggregate(1L, static (product, dim) => product * dim)];
        for (int i = 0; i < values.Length; i++) values[i] = (random.NextSingle() * 2) - 1;
        return Of(shape, values);
    }

    public static TensorValue From(OrtValue value)
    {
        OrtTensorTypeAndShapeInfo info = value.GetTensorTypeAndShape();
        return new TensorValue(info.ElementDataType, info.Shape, value.GetTensorDataAsSpan<byte>().ToArray());
    }

    public OrtValue ToOrtValue()
    {
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, Type, Shape);
        Bytes.CopyTo(value.GetTensorMutableRawData());
        return value;
    }
}
