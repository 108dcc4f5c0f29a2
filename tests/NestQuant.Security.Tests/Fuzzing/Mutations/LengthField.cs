namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>The length of a field in a protobuf message.</summary>
/// <param name="Position">Where its varint begins.</param>
/// <param name="Size">Bytes of the varint.</param>
/// <param name="Value">The length.</param>
internal readonly record struct LengthField(int Position, int Size, ulong Value)
{
    /// <summary>The lengths in a message and in whatever inside it reads as one.</summary>
    public static List<LengthField> In(ReadOnlySpan<byte> message)
    {
        var fields = new List<LengthField>();
        return Read(message, 0, fields) ? fields : [];
    }

    public static byte[] Encode(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        return [.. bytes, (byte)value];
    }

    private static bool Read(ReadOnlySpan<byte> message, int origin, List<LengthField> fields)
    {
        int at = 0;
        while (at < message.Length)
        {
            if (ReadVarint(message, ref at) is not { } tag || tag < 8) return false;
            switch (tag & 7)
            {
                case 0 when ReadVarint(message, ref at) is not null:
                    break;
                case 1:
                    at += 8;
                    break;
                case 5:
                    at += 4;
                    break;
                case 2:
                    int position = at;
                    if (ReadVarint(message, ref at) is not { } length || length > (ulong)(message.Length - at)) return false;
                    fields.Add(new LengthField(origin + position, at - position, length));
                    var inner = new List<LengthField>();
                    if (Read(message.Slice(at, (int)length), origin + at, inner)) fields.AddRange(inner);
                    at += (int)length;
                    break;
                default:
                    return false;
            }
        }

        return at == message.Length;
    }

    private static ulong? ReadVarint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; shift < 64 && at < bytes.Length; shift += 7)
        {
            byte next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        return null;
    }
}
