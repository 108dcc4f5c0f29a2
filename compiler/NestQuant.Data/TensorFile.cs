using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Data;

/// <summary>Files with one serialised TensorProto, as in ONNX's test data.</summary>
internal static class TensorFile
{
    private const byte ModelGraphTag = (7 << 3) | 2;
    private const byte GraphInitializerTag = (5 << 3) | 2;

    /// <summary>Reads the tensor of a file.</summary>
    /// <exception cref="ModelException">The file is missing, damaged, or of an element type without a NumPy counterpart.</exception>
    public static NamedArray Read(string path)
    {
        TensorProto tensor = Decode(InputFile.ReadAll(path), path);
        if (!NpyTypes.TryFromOnnx(tensor.DataType, out NpyType type))
            throw new ModelException($"{path}: {tensor.DataType.TextName()} tensors are not supported as data");
        try
        {
            return new NamedArray(
                tensor.Name.Length == 0 ? null : tensor.Name, new NpyArray(type, [.. tensor.Dims], tensor.GetBytes().ToArray()));
        }
        catch (ModelException e)
        {
            throw new ModelException($"{path}: {e.Message}", e);
        }
    }

    // The codec reads models: the tensor is read as the only initializer of an otherwise empty one, by the same rules.
    private static TensorProto Decode(byte[] tensor, string path)
    {
        try
        {
            byte[] start = [GraphInitializerTag, .. Varint(tensor.Length)];
            return ModelCodec.Read((byte[])[ModelGraphTag, .. Varint(start.Length + tensor.Length), .. start, .. tensor])
                .Graph!.Initializer[0];
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new ModelException($"{path}: not a TensorProto: {e.Message}", e);
        }
    }

    private static byte[] Varint(int value)
    {
        var bytes = new List<byte>();
        uint rest = (uint)value;
        for (; rest >= 0x80; rest >>= 7)
            bytes.Add((byte)(rest | 0x80));
        return [.. bytes, (byte)rest];
    }
}
