using System.Buffers.Binary;
using NestQuant.Onnx;

namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>Tensors whose shape, type and content do not agree, or whose values are extreme.</summary>
internal static class TensorMutations
{
    private static readonly TensorDataType[] s_types = Enum.GetValues<TensorDataType>();

    public static IReadOnlyList<ModelMutation> All { get; } =
    [
        Of("extreme dimension", static (tensor, random) =>
        {
            if (tensor.Dims.Count == 0) tensor.Dims.Add(Extremes.Integer(random));
            else tensor.Dims[random.Next(tensor.Dims.Count)] = Extremes.Integer(random);
        }),
        Of("other dimensions", static (tensor, random) =>
        {
            tensor.Dims.Clear();
            for (int count = Extremes.Count(random); count > 0; count--) tensor.Dims.Add(Extremes.Integer(random));
        }),
        Of("overflowing dimensions", static (tensor, _) => tensor.Dims.AddRange([1L << 32, 1L << 32])),
        Of("swapped dimensions", static (tensor, _) => tensor.Dims.Reverse()),
        Of("dimension of 1", static (tensor, random) => tensor.Dims.Insert(random.Next(tensor.Dims.Count + 1), 1)),
        Of("no dimensions", static (tensor, _) => tensor.Dims.Clear()),
        Of("tensor without elements", static (tensor, _) =>
        {
            tensor.Dims.Add(0);
            tensor.RawData = ReadOnlyMemory<byte>.Empty;
        }),
        Of("other element type", static (tensor, random) => tensor.DataType = random.Pick(s_types)),
        Of("unknown element type", static (tensor, random) => tensor.DataType = (TensorDataType)Extremes.Integer(random)),
        Of("other tensor name", static (tensor, random) => tensor.Name = Extremes.Text(random)),
        Of("no content", static (tensor, _) => tensor.RawData = null),
        Of("shorter content", static (tensor, random) =>
        {
            byte[] bytes = Content(tensor);
            tensor.RawData = bytes.AsMemory(0, random.Next(bytes.Length + 1));
        }),
        Of("longer content", static (tensor, random) => tensor.RawData = (byte[])[.. Content(tensor), .. Extremes.Bytes(random)]),
        Of("content of two kinds", static (tensor, random) =>
        {
            tensor.FloatData.Add(Extremes.Float(random));
            tensor.Int64Data.Add(Extremes.Integer(random));
            tensor.StringData.Add(Extremes.Bytes(random));
        }),
        Of("extreme values", static (tensor, random) =>
        {
            byte[] bytes = Content(tensor);
            for (int count = random.Next(1, 5); count > 0; count--) SetValue(tensor.DataType, bytes, random);
            tensor.RawData = bytes;
        }),
        Of("all values the same", static (tensor, random) =>
        {
            byte[] bytes = Content(tensor);
            float value = Extremes.Float(random);
            for (int i = 0; i + 4 <= bytes.Length; i += 4) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i), value);
            tensor.RawData = bytes;
        }),
        Of("random values", static (tensor, random) =>
        {
            byte[] bytes = Content(tensor);
            random.Fill(bytes);
            tensor.RawData = bytes;
        }),
    ];

    private static byte[] Content(TensorProto tensor) => tensor.RawData is { } raw ? raw.ToArray() : new byte[16];

    private static void SetValue(TensorDataType type, byte[] bytes, SeededRandom random)
    {
        if (type == TensorDataType.Int64 && bytes.Length >= 8)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(random.Next(bytes.Length / 8) * 8), Extremes.Integer(random));
        else if (bytes.Length >= 4)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(random.Next(bytes.Length / 4) * 4), Extremes.Float(random));
    }

    private static ModelMutation Of(string name, Action<TensorProto, SeededRandom> change) => new(name, parts =>
    {
        if (parts.Tensor() is not { } tensor) return false;
        change(tensor, parts.Random);
        return true;
    });
}
