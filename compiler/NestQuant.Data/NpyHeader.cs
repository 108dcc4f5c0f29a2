using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>The header of a <c>.npy</c> file, format versions 1 to 3.</summary>
/// <param name="Type">Element type.</param>
/// <param name="BigEndian">True when elements are stored most significant byte first.</param>
/// <param name="FortranOrder">True when the first axis varies fastest.</param>
/// <param name="Shape">Extents; empty for a scalar.</param>
/// <param name="DataOffset">Bytes before the first element.</param>
internal sealed record NpyHeader(NpyType Type, bool BigEndian, bool FortranOrder, IReadOnlyList<long> Shape, long DataOffset)
{
    private const int MaxTextLength = 1 << 16;
    private const int MaxRank = 64;
    private const int TextAlignment = 64;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Number of elements; callers of the constructor have checked that it and the byte count fit in a long.</summary>
    public long Count => CountOf(Shape);

    /// <summary>Bytes of the elements.</summary>
    public long ByteCount => Count * Type.Size();

    /// <summary>Product of extents.</summary>
    public static long CountOf(IReadOnlyList<long> shape)
    {
        long count = 1;
        foreach (long extent in shape)
            count *= extent;
        return count;
    }

    /// <summary>Reads a header at the start of a stream.</summary>
    /// <param name="stream">Positioned at the magic; left at the first element.</param>
    /// <param name="name">Name of the array in messages.</param>
    /// <exception cref="ModelException">The bytes are not a header that this reader knows.</exception>
    public static NpyHeader Read(Stream stream, string name)
    {
        Span<byte> start = stackalloc byte[8];
        int got = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (got < start.Length || !start.StartsWith(Magic))
            throw new ModelException($"{name}: not a .npy array: {(got == 0 ? "it is empty" : "it does not start with the NumPy magic")}");
        int major = start[6];
        if (major is < 1 or > 3)
            throw new ModelException($"{name}: .npy format version {major} is not known: write it with a current NumPy");

        Span<byte> lengthBytes = stackalloc byte[major == 1 ? 2 : 4];
        ReadExactly(stream, lengthBytes, name);
        uint length = major == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(lengthBytes)
            : BinaryPrimitives.ReadUInt32LittleEndian(lengthBytes);
        if (length > MaxTextLength)
            throw new ModelException($"{name}: damaged .npy header: it claims {length} bytes");
        byte[] text = new byte[length];
        ReadExactly(stream, text, name);
        Encoding encoding = major == 3 ? Encoding.UTF8 : Encoding.Latin1;
        return Parse(encoding.GetString(text), start.Length + lengthBytes.Length + length, name);
    }

    /// <summary>The bytes of a version 1 header for little-endian elements in C order.</summary>
    public static byte[] Format(NpyType type, IReadOnlyList<long> shape)
    {
        string extents = shape.Count switch
        {
            0 => "",
            1 => string.Create(CultureInfo.InvariantCulture, $"{shape[0]},"),
            _ => string.Join(", ", shape.Select(extent => extent.ToString(CultureInfo.InvariantCulture))),
        };
        char order = type.Size() == 1 ? '|' : '<';
        string text = $"{{'descr': '{order}{type.Code()}', 'fortran_order': False, 'shape': ({extents}), }}";
        int prefix = Magic.Length + 4;
        int total = (prefix + text.Length + 1 + TextAlignment - 1) / TextAlignment * TextAlignment;
        byte[] header = new byte[total];
        Magic.CopyTo(header);
        header[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), checked((ushort)(total - prefix)));
        header.AsSpan(prefix).Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, header.AsSpan(prefix));
        header[^1] = (byte)'\n';
        return header;
    }

    private static NpyHeader Parse(string text, long dataOffset, string name)
    {
        IReadOnlyDictionary<string, object> fields;
        try
        {
            fields = PythonLiteral.ParseDictionary(text);
        }
        catch (FormatException e)
        {
            throw new ModelException($"{name}: damaged .npy header: {e.Message}", e);
        }

        if (fields.GetValueOrDefault("fortran_order") is not bool fortran || fields.GetValueOrDefault("shape") is not long[] shape)
            throw new ModelException($"{name}: damaged .npy header: it lacks 'shape' or 'fortran_order'");
        if (fields.GetValueOrDefault("descr") is not string descr)
            throw new ModelException($"{name}: structured arrays are not supported: save one field as a plain array");
        (NpyType type, bool bigEndian) = ParseType(descr, name);
        CheckShape(shape, type, name);
        return new NpyHeader(type, bigEndian, fortran, shape, dataOffset);
    }

    private static (NpyType Type, bool BigEndian) ParseType(string descr, string name)
    {
        ReadOnlySpan<char> code = descr;
        char order = code.Length > 0 && code[0] is '<' or '>' or '|' or '=' ? code[0] : '\0';
        if (order != '\0')
            code = code[1..];
        if (!NpyTypes.TryParse(code, out NpyType type))
            throw new ModelException(
                $"{name}: element type '{descr}' is not supported: use a bool, integer or float type of up to 8 bytes");
        return (type, order == '>');
    }

    private static void CheckShape(long[] shape, NpyType type, string name)
    {
        if (shape.Length > MaxRank)
            throw new ModelException($"{name}: damaged .npy header: {shape.Length} dimensions");
        // The product is taken over the non-zero extents, so that a zero extent does not hide an overflow of the others.
        Int128 bytes = type.Size();
        foreach (long extent in shape)
        {
            bytes *= Math.Max(extent, 1);
            if (extent < 0 || bytes > long.MaxValue)
                throw new ModelException($"{name}: damaged .npy header: shape ({string.Join(", ", shape)}) is not possible");
        }
    }

    private static void ReadExactly(Stream stream, Span<byte> bytes, string name)
    {
        if (stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length)
            throw new ModelException($"{name}: truncated .npy header");
    }
}
