using System.Buffers;
using ProtoBuf.Meta;

namespace NestQuant.Onnx;

/// <summary>Converts messages to protobuf bytes and back; does not deal with files.</summary>
internal static class ModelCodec
{
    /// <summary>
    /// Messages nested deeper are refused, as in Protocol Buffers' own readers, so that no input can overflow the stack.
    /// </summary>
    public const int MaxDepth = 100;

    private static readonly RuntimeTypeModel Schema = CreateSchema();

    /// <summary>Reads a model; <c>raw_data</c> fields are slices of the given memory.</summary>
    public static ModelProto Read(ReadOnlyMemory<byte> bytes) =>
        Schema.Deserialize(bytes, new ModelProto(), userState: new MessageSource(bytes));

    /// <summary>Writes a model.</summary>
    public static void Write(IBufferWriter<byte> output, ModelProto model) => Schema.Serialize(output, model);

    /// <summary>Number of bytes that <see cref="Write"/> will produce.</summary>
    public static long Measure(ModelProto model)
    {
        using var measured = Schema.Measure(model);
        return measured.Length;
    }

    private static RuntimeTypeModel CreateSchema()
    {
        var schema = RuntimeTypeModel.Create("Onnx");
        schema.MaxDepth = MaxDepth;
        schema.Add(typeof(ModelProto));
        schema.CompileInPlace();
        return schema;
    }
}
