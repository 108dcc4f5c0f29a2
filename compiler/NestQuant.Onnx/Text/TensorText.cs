using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace NestQuant.Onnx.Text;

/// <summary>
/// The values of a tensor in ONNX's textual syntax. The syntax has integers and decimals only: types without a literal of their own
/// (float16, bfloat16, the 8-bit floats) appear as their bit patterns, types under 8 bits as the bytes that they are packed into.
/// </summary>
internal static class TensorText
{
    public static string Values(TensorProto tensor)
    {
        if (tensor.DataType == TensorDataType.String)
            return Braces(tensor.StringData.Select(s => TextSyntax.Quote(Encoding.UTF8.GetString(s))));
        if (tensor.DataType.BitsPerElement() == 0)
            return "{}";

        var bytes = tensor.GetBytes();
        return tensor.DataType switch
        {
            TensorDataType.Float or TensorDataType.Complex64 =>
                Elements(bytes, 4, s => TextSyntax.Float(BinaryPrimitives.ReadSingleLittleEndian(s))),
            TensorDataType.Double or TensorDataType.Complex128 =>
                Elements(bytes, 8, s => TextSyntax.Float(BinaryPrimitives.ReadDoubleLittleEndian(s), isDouble: true)),
            TensorDataType.Int64 => Elements(bytes, 8, s => Text(BinaryPrimitives.ReadInt64LittleEndian(s))),
            TensorDataType.UInt64 => Elements(bytes, 8, s => Text(BinaryPrimitives.ReadUInt64LittleEndian(s))),
            TensorDataType.Int32 => Elements(bytes, 4, s => Text(BinaryPrimitives.ReadInt32LittleEndian(s))),
            TensorDataType.UInt32 => Elements(bytes, 4, s => Text(BinaryPrimitives.ReadUInt32LittleEndian(s))),
            TensorDataType.Int16 => Elements(bytes, 2, s => Text(BinaryPrimitives.ReadInt16LittleEndian(s))),
            TensorDataType.UInt16 or TensorDataType.Float16 or TensorDataType.BFloat16 =>
                Elements(bytes, 2, s => Text(BinaryPrimitives.ReadUInt16LittleEndian(s))),
            TensorDataType.Int8 => Elements(bytes, 1, s => Text((sbyte)s[0])),
            _ => Elements(bytes, 1, s => Text(s[0])),
        };
    }

    private delegate string ElementText(ReadOnlySpan<byte> element);

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static string Elements(ReadOnlyMemory<byte> bytes, int size, ElementText text) =>
        Braces(Enumerable.Range(0, bytes.Length / size).Select(i => text(bytes.Span.Slice(i * size, size))));

    private static string Braces(IEnumerable<string> values) => $"{{{string.Join(", ", values)}}}";
}
