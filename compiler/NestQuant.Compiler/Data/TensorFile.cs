using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Data;

/// <summary>Files that hold one serialised TensorProto, as ONNX's test data does.</summary>
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
        var array = new NpyArray(type, [.. tensor.Dims], tensor.GetBytes().ToArray());
        return new NamedArray(tensor.Name.Length == 0 ? null : tensor.Name, array);
    }

    // The codec reads models; as the only initializer of an otherwise empty one, a tensor is read by the same rules.
    private static TensorProto Decode(byte[] tensor, string path)
    {
        try
        {
            byte[] initializer = [GraphInitializerTag, .. Varint(tensor.Length), .. tensor];
            byte[] model = [ModelGraphTag, .. Varint(initializer.Length), .. initializer];
            return ModelCodec.Read(model).Graph!.Initializer[0];
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new ModelException($"{path}: not a TensorProto: {e.Message}", e);
        }
    }

    private static IEnumerable<byte> Varint(int value)
    {
        uint rest = (uint)value;
        for (; rest >= 0x80; rest >>= 7)
            yield return (byte)(rest | 0x80);
        yield return (byte)rest;
    }
}
