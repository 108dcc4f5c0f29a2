using Google.Protobuf;
using Google.Protobuf.Reflection;
using Reference = NestQuant.Onnx.Tests.Reference;

namespace NestQuant.Onnx.Tests;

/// <summary>Fills messages of the reference schema at random: any field present or absent, extreme values, unknown fields.</summary>
internal sealed class RandomMessage(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>A model that passes the loader's checks and is otherwise arbitrary.</summary>
    public Reference.ModelProto Model()
    {
        var model = (Reference.ModelProto)Message(Reference.ModelProto.Descriptor, depth: 0);
        model.IrVersion = _random.Next(3, 14);
        model.Graph ??= new Reference.GraphProto();
        model.OpsetImport.Clear();
        model.OpsetImport.Add(new Reference.OperatorSetIdProto { Domain = "", Version = _random.Next(1, 27) });
        return model;
    }

    private IMessage Message(MessageDescriptor type, int depth)
    {
        var message = type.Parser.ParseFrom(UnknownFields());
        foreach (var field in type.Fields.InFieldNumberOrder())
        {
            // External content needs files and is tested with them.
            var isLeaf = field.FieldType != FieldType.Message;
            if (field.FullName.EndsWith("data_location", StringComparison.Ordinal)
                || _random.Next(isLeaf ? 2 : 2 + depth) != 0
                || (!isLeaf && depth > 6))
                continue;
            if (field.IsRepeated)
            {
                var list = (System.Collections.IList)field.Accessor.GetValue(message);
                for (var i = _random.Next(1, 4); i > 0; i--)
                    list.Add(Value(field, depth));
            }
            else
            {
                field.Accessor.SetValue(message, Value(field, depth));
            }
        }

        return message;
    }

    private object Value(FieldDescriptor field, int depth) => field.FieldType switch
    {
        FieldType.Message => Message(field.MessageType, depth + 1),
        FieldType.String => Pick("", "x", "ünï code ✓", "a/b:c"),
        FieldType.Bytes => ByteString.CopyFrom(Pick<byte[]>([], [0], [1, 2, 255], new byte[200])),
        FieldType.Float => Pick(0f, -0f, float.NaN, float.NegativeInfinity, 1.5f, float.Epsilon),
        FieldType.Double => Pick(0d, -0d, double.NaN, double.PositiveInfinity, 0.1),
        FieldType.Int64 => Pick(0, 1, -1, long.MinValue, long.MaxValue, 300),
        FieldType.UInt64 => Pick<ulong>(0, 1, ulong.MaxValue),
        FieldType.Int32 => Pick(0, 1, -1, int.MinValue, int.MaxValue, 26),
        FieldType.Enum => _random.Next(0, 15),
        _ => throw new InvalidOperationException($"The schema has no field of type {field.FieldType}."),
    };

    private byte[] UnknownFields()
    {
        if (_random.Next(4) != 0)
            return [];
        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer))
        {
            output.WriteTag(1000, WireFormat.WireType.Varint);
            output.WriteInt64(-5);
            output.WriteTag(1001, WireFormat.WireType.LengthDelimited);
            output.WriteString("from a later version");
            output.WriteTag(1002, WireFormat.WireType.Fixed32);
            output.WriteFloat(1.25f);
        }

        return buffer.ToArray();
    }

    private T Pick<T>(params T[] values) => values[_random.Next(values.Length)];
}
