using System.Runtime.InteropServices;
using ProtoBuf;
using ProtoBuf.Serializers;

namespace NestQuant.Onnx;

/// <summary>
/// A list in one of a tensor's packed fields. protobuf-net's own lists write a single element unpacked; other writers of the format do not,
/// and a model should survive a round trip byte for byte.
/// </summary>
[ProtoContract(Serializer = typeof(PackedListSerializer))]
internal sealed class PackedList<T>
{
    public List<T> Values { get; init; } = [];

    /// <summary>The list as a field: absent when it is empty.</summary>
    public static PackedList<T>? Of(List<T> values) => values.Count == 0 ? null : new PackedList<T> { Values = values };
}

/// <summary>Reads packed and unpacked elements, writes packed ones.</summary>
internal sealed class PackedListSerializer
    : ISerializer<PackedList<float>>, ISerializer<PackedList<double>>, ISerializer<PackedList<int>>, ISerializer<PackedList<long>>,
        ISerializer<PackedList<ulong>>
{
    private delegate T ElementReader<T>(ref ProtoReader.State state);

    SerializerFeatures ISerializer<PackedList<float>>.Features => Packed;

    SerializerFeatures ISerializer<PackedList<double>>.Features => Packed;

    SerializerFeatures ISerializer<PackedList<int>>.Features => Packed;

    SerializerFeatures ISerializer<PackedList<long>>.Features => Packed;

    SerializerFeatures ISerializer<PackedList<ulong>>.Features => Packed;

    private static SerializerFeatures Packed => SerializerFeatures.CategoryScalar | SerializerFeatures.WireTypeString;

    public PackedList<float> Read(ref ProtoReader.State state, PackedList<float> value) =>
        Read(ref state, value, WireType.Fixed32, static (ref ProtoReader.State s) => s.ReadSingle());

    public PackedList<double> Read(ref ProtoReader.State state, PackedList<double> value) =>
        Read(ref state, value, WireType.Fixed64, static (ref ProtoReader.State s) => s.ReadDouble());

    public PackedList<int> Read(ref ProtoReader.State state, PackedList<int> value) =>
        Read(ref state, value, WireType.Varint, static (ref ProtoReader.State s) => s.ReadInt32());

    public PackedList<long> Read(ref ProtoReader.State state, PackedList<long> value) =>
        Read(ref state, value, WireType.Varint, static (ref ProtoReader.State s) => s.ReadInt64());

    public PackedList<ulong> Read(ref ProtoReader.State state, PackedList<ulong> value) =>
        Read(ref state, value, WireType.Varint, static (ref ProtoReader.State s) => s.ReadUInt64());

    public void Write(ref ProtoWriter.State state, PackedList<float> value) => state.WriteBytes(Fixed(value.Values));

    public void Write(ref ProtoWriter.State state, PackedList<double> value) => state.WriteBytes(Fixed(value.Values));

    // A negative int32 is a ten-byte varint on the wire, as if it were an int64.
    public void Write(ref ProtoWriter.State state, PackedList<int> value) =>
        state.WriteBytes(Varints(value.Values, static v => (ulong)(long)v));

    public void Write(ref ProtoWriter.State state, PackedList<long> value) => state.WriteBytes(Varints(value.Values, static v => (ulong)v));

    public void Write(ref ProtoWriter.State state, PackedList<ulong> value) => state.WriteBytes(Varints(value.Values, static v => v));

    private static PackedList<T> Read<T>(ref ProtoReader.State state, PackedList<T>? list, WireType element, ElementReader<T> read)
    {
        list ??= new PackedList<T>();
        if (state.WireType != WireType.String)
        {
            list.Values.Add(read(ref state));
            return list;
        }

        var token = state.StartSubItem();
        while (state.HasSubValue(element))
            list.Values.Add(read(ref state));
        state.EndSubItem(token);
        return list;
    }

    private static byte[] Fixed<T>(List<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(values)).ToArray();

    private static byte[] Varints<T>(List<T> values, Func<T, ulong> bits)
    {
        using var bytes = new MemoryStream();
        foreach (var value in values)
        {
            var rest = bits(value);
            for (; rest > 0x7f; rest >>= 7)
                bytes.WriteByte((byte)(rest | 0x80));
            bytes.WriteByte((byte)rest);
        }

        return bytes.ToArray();
    }
}
