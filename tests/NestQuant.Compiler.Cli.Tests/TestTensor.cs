using NestQuant.Onnx;
using ProtoBuf;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>Writes single tensors as ONNX's test data does.</summary>
internal static class TestTensor
{
    public static void Write(TestFolder folder, string name, TensorProto tensor)
    {
        // The library writes models: the tensor's own bytes are those of a model's only initializer.
        var typed = new TensorProto { Name = tensor.Name, DataType = tensor.DataType };
        typed.Dims.AddRange(tensor.Dims);
        typed.FloatData.AddRange(tensor.ToFloats());
        using var stream = new MemoryStream();
        Serializer.Serialize(stream, typed);
        folder.Write(name, stream.ToArray());
    }
}
