namespace NestQuant.Compiler.Onnx;

/// <summary>Loads and saves ONNX models.</summary>
public static class ModelFile
{
    /// <summary>Loads a model from a file, which is mapped and not read as a whole.</summary>
    /// <param name="path">Path of the ONNX file.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ModelException">The file is missing or is not a usable ONNX model.</exception>
    public static ModelProto Load(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var mapping = ReadOnlyMapping.Open(file);
        return Load(mapping.Memory(0, (int)mapping.Length));
    }

    /// <summary>Loads a model from memory, which must not change while the model is in use.</summary>
    /// <param name="bytes">The serialised model.</param>
    /// <param name="externalDataFolder">Folder that external data is looked up in; null when there is none.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ModelException">The bytes are not a usable ONNX model.</exception>
    public static ModelProto Load(ReadOnlyMemory<byte> bytes, string? externalDataFolder = null) => ModelCodec.Read(bytes);

    /// <summary>Serialises a model.</summary>
    /// <param name="model">The model.</param>
    /// <returns>The bytes of an ONNX file.</returns>
    public static byte[] ToBytes(ModelProto model)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(checked((int)ModelCodec.Measure(model)));
        ModelCodec.Write(buffer, model);
        return buffer.WrittenSpan.ToArray();
    }
}
