using ProtoBuf;
using ProtoBuf.Serializers;

namespace NestQuant.Onnx;

/// <summary>
/// The bytes of a tensor's <c>raw_data</c> field. On reading they are a slice of the message's own memory instead of a copy.
/// </summary>
[ProtoContract(Serializer = typeof(RawContentSerializer))]
internal sealed class RawContent
{
    public ReadOnlyMemory<byte> Memory { get; init; }
}

/// <summary>The whole serialised message, handed to the deserializer as its user state so that fields can be slices of it.</summary>
internal sealed record MessageSource(ReadOnlyMemory<byte> Memory);

/// <summary>Reads <see cref="RawContent"/> without copying and writes it as a length-delimited field.</summary>
internal sealed class RawContentSerializer : ISerializer<RawContent>
{
    public SerializerFeatures Features => SerializerFeatures.CategoryScalar | SerializerFeatures.WireTypeString;

    public RawContent Read(ref ProtoReader.State state, RawContent value)
    {
        if (state.Context?.UserState is not MessageSource source)
            return new RawContent { Memory = state.AppendBytes(ReadOnlyMemory<byte>.Empty) };

        var start = (int)state.GetPosition();
        state.SkipField();
        var end = (int)state.GetPosition();
        var field = source.Memory.Slice(start, end - start);
        return new RawContent { Memory = field[LengthPrefixSize(field.Span)..] };
    }

    public void Write(ref ProtoWriter.State state, RawContent value) => state.WriteBytes(value.Memory);

    private static int LengthPrefixSize(ReadOnlySpan<byte> field)
    {
        var size = 1;
        while ((field[size - 1] & 0x80) != 0)
            size++;
        return size;
    }
}
