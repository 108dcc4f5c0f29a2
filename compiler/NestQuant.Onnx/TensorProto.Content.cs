using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace NestQuant.Onnx;

/// <content>Content of a tensor, whatever its storage form.</content>
public sealed partial class TensorProto
{
    private FileRegion? _external;

    /// <summary>Whether the content lies in another file (<c>data_location</c> is EXTERNAL).</summary>
    public bool IsExternal => DataLocation == TensorDataLocation.External;

    /// <summary>Name of the file that holds the content: null when the content is inside, empty when the tensor names no file.</summary>
    public string? ExternalLocation => IsExternal ? ExternalData.Find(e => e.Key == "location")?.Value ?? "" : null;

    /// <summary>
    /// Not part of the message: when set, for example to <c>high</c>, saving <c>X.onnx</c> puts the content into <c>X.high.bin</c>
    /// beside it, at an offset that is a multiple of 64. Loading <c>X.onnx</c> sets it again.
    /// </summary>
    public string? ExternalGroup { get; set; }

    /// <summary>Number of elements: the product of <see cref="Dims"/>, 1 for a scalar.</summary>
    /// <exception cref="ModelException">A dimension is negative or the product exceeds 64 bits.</exception>
    public long ElementCount
    {
        get
        {
            var count = 1L;
            foreach (var dim in Dims)
            {
                if (dim < 0 || (count != 0 && dim > long.MaxValue / count))
                    throw new ModelException($"Tensor '{Name}' has the impossible shape [{string.Join(",", Dims)}].");
                count *= dim;
            }

            return count;
        }
    }

    /// <summary>Size of the content in bytes, as <see cref="GetBytes"/> and external files hold it.</summary>
    /// <exception cref="ModelException">The element type has no fixed size, or the shape is impossible.</exception>
    public long ByteCount
    {
        get
        {
            var bits = DataType.BitsPerElement();
            if (bits == 0)
                throw new ModelException($"Tensor '{Name}' has element type {DataType.TextName()}, which has no fixed size.");
            var count = ElementCount;
            if (count > (long.MaxValue - 7) / bits)
                throw new ModelException($"Tensor '{Name}' has the impossible shape [{string.Join(",", Dims)}].");
            return ((count * bits) + 7) / 8;
        }
    }

    /// <summary>The external content, when a loader has attached it.</summary>
    internal FileRegion? ExternalContent
    {
        get => _external;
        set => _external = value;
    }

    /// <summary>Makes a Float tensor; the values are copied.</summary>
    /// <param name="name">Name of the tensor.</param>
    /// <param name="dims">The shape; empty for a scalar.</param>
    /// <param name="values">The values in row-major order.</param>
    /// <returns>The tensor, its content in <see cref="RawData"/>.</returns>
    public static TensorProto FromFloats(string name, ReadOnlySpan<long> dims, ReadOnlySpan<float> values) =>
        FromBytes(name, TensorDataType.Float, dims, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>Makes an Int64 tensor; the values are copied.</summary>
    /// <param name="name">Name of the tensor.</param>
    /// <param name="dims">The shape; empty for a scalar.</param>
    /// <param name="values">The values in row-major order.</param>
    /// <returns>The tensor, its content in <see cref="RawData"/>.</returns>
    public static TensorProto FromInt64s(string name, ReadOnlySpan<long> dims, ReadOnlySpan<long> values) =>
        FromBytes(name, TensorDataType.Int64, dims, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>Makes an Int32 tensor; the values are copied.</summary>
    /// <param name="name">Name of the tensor.</param>
    /// <param name="dims">The shape; empty for a scalar.</param>
    /// <param name="values">The values in row-major order.</param>
    /// <returns>The tensor, its content in <see cref="RawData"/>.</returns>
    public static TensorProto FromInt32s(string name, ReadOnlySpan<long> dims, ReadOnlySpan<int> values) =>
        FromBytes(name, TensorDataType.Int32, dims, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>Makes a tensor of any fixed-size type from its little-endian bytes, which are not copied.</summary>
    /// <param name="name">Name of the tensor.</param>
    /// <param name="type">Type of the elements, not String.</param>
    /// <param name="dims">The shape; empty for a scalar.</param>
    /// <param name="raw">The content in row-major order; must not change afterwards.</param>
    /// <returns>The tensor, its content in <see cref="RawData"/>.</returns>
    /// <exception cref="ModelException">The shape needs another number of bytes.</exception>
    public static TensorProto FromBytes(string name, TensorDataType type, ReadOnlySpan<long> dims, byte[] raw)
    {
        ArgumentNullException.ThrowIfNull(raw);
        var tensor = new TensorProto { Name = name, DataType = type, RawData = raw };
        tensor.Dims.AddRange(dims);
        tensor.RequireByteCount(raw.Length);
        return tensor;
    }

    /// <summary>The values of a Float tensor.</summary>
    /// <returns>A new array in row-major order.</returns>
    /// <exception cref="ModelException">The tensor is of another type, or its content is missing or of the wrong size.</exception>
    public float[] ToFloats() => ToArray<float>(TensorDataType.Float);

    /// <summary>The values of an Int64 tensor.</summary>
    /// <returns>A new array in row-major order.</returns>
    /// <exception cref="ModelException">The tensor is of another type, or its content is missing or of the wrong size.</exception>
    public long[] ToInt64s() => ToArray<long>(TensorDataType.Int64);

    /// <summary>The values of an Int32 tensor.</summary>
    /// <returns>A new array in row-major order.</returns>
    /// <exception cref="ModelException">The tensor is of another type, or its content is missing or of the wrong size.</exception>
    public int[] ToInt32s() => ToArray<int>(TensorDataType.Int32);

    /// <summary>
    /// The content as little-endian bytes in row-major order, whatever the storage form. Raw content is not copied;
    /// external content is read from its file by every call.
    /// </summary>
    /// <returns>Exactly <see cref="ByteCount"/> bytes.</returns>
    /// <exception cref="ModelException">The type has no fixed size, or the content is missing, of the wrong size or over 2 GB.</exception>
    public ReadOnlyMemory<byte> GetBytes()
    {
        if (IsExternal)
        {
            var region = RequireExternalContent();
            return region.Length <= Array.MaxLength
                ? region.Read()
                : throw new ModelException($"Tensor '{Name}' has {region.Length} bytes; tensors over 2 GB can only be copied, not read.");
        }

        if (_rawData is null)
            return EncodeTypedFields();
        RequireByteCount(_rawData.Memory.Length);
        return _rawData.Memory;
    }

    /// <summary>Copies a part of the content; only that part of an external file is read.</summary>
    /// <param name="offset">First byte of the part, as <see cref="GetBytes"/> counts them.</param>
    /// <param name="destination">Receives the part; its length is that of the part.</param>
    /// <exception cref="ArgumentOutOfRangeException">The content ends before the part does.</exception>
    /// <exception cref="ModelException">As for <see cref="GetBytes"/>, but content over 2 GB may lie in a file.</exception>
    public void CopyBytes(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, ByteCount - destination.Length);
        if (!IsExternal)
        {
            GetBytes().Span.Slice((int)offset, destination.Length).CopyTo(destination);
            return;
        }

        var region = RequireExternalContent();
        region.File.Read(region.Offset + offset, destination);
    }

    /// <summary>A copy of the tensor to be written when its content lies in another file; this tensor stays as it is.</summary>
    internal TensorProto StoredExternally(string location, long offset, long length)
    {
        var stored = WithoutContent();
        stored.DataLocation = TensorDataLocation.External;
        stored.ExternalData.Add(new StringStringEntryProto("location", location));
        stored.ExternalData.Add(new StringStringEntryProto("offset", offset.ToString(CultureInfo.InvariantCulture)));
        stored.ExternalData.Add(new StringStringEntryProto("length", length.ToString(CultureInfo.InvariantCulture)));
        return stored;
    }

    /// <summary>A copy of the tensor to be written when external content becomes part of the message; this tensor stays as it is.</summary>
    internal TensorProto StoredInline()
    {
        var stored = WithoutContent();
        stored._rawData = new RawContent { Memory = GetBytes() };
        return stored;
    }

    /// <summary>Where the content of an external tensor lies, checked against its shape.</summary>
    internal FileRegion RequireExternalContent()
    {
        if (_external is not { } region)
        {
            throw new ModelException(
                $"The content of tensor '{Name}' is in the file '{ExternalLocation}', which was not opened; load the model from its "
                    + "path or say where its external data is.");
        }

        RequireByteCount(region.Length);
        return region;
    }

    /// <summary>Size in bytes of the content of the typed fields, as elements of the tensor's own type.</summary>
    internal long TypedByteCount => DataType switch
    {
        TensorDataType.Float or TensorDataType.Complex64 => FloatData.Count * 4L,
        TensorDataType.Double or TensorDataType.Complex128 => DoubleData.Count * 8L,
        TensorDataType.Int64 => Int64Data.Count * 8L,
        TensorDataType.UInt64 => Uint64Data.Count * 8L,
        TensorDataType.UInt32 => Uint64Data.Count * 4L,
        TensorDataType.Int32 => Int32Data.Count * 4L,
        _ => Int32Data.Count * (DataType.BitsPerElement() == 16 ? 2L : 1L),
    };

    /// <summary>Compares a size in bytes with the one that type and shape give.</summary>
    internal void RequireByteCount(long actual)
    {
        var expected = ByteCount;
        if (actual != expected)
        {
            throw new ModelException(
                $"Tensor '{Name}' holds {actual} bytes, but {DataType.TextName()}[{string.Join(",", Dims)}] needs {expected}.");
        }
    }

    private void SetRawData(ReadOnlyMemory<byte>? value)
    {
        FloatData.Clear();
        Int32Data.Clear();
        StringData.Clear();
        Int64Data.Clear();
        DoubleData.Clear();
        Uint64Data.Clear();
        ExternalData.Clear();
        DataLocation = null;
        _external = null;
        _rawData = value is { } memory ? new RawContent { Memory = memory } : null;
    }

    private TensorProto WithoutContent()
    {
        var copy = (TensorProto)MemberwiseClone();
        copy.FloatData = [];
        copy.Int32Data = [];
        copy.StringData = [];
        copy.Int64Data = [];
        copy.DoubleData = [];
        copy.Uint64Data = [];
        copy.ExternalData = [];
        copy.DataLocation = null;
        copy._external = null;
        copy._rawData = null;
        return copy;
    }

    /// <summary>A tensor of its own over the same raw or external content; values in typed fields are copied.</summary>
    internal TensorProto Clone()
    {
        var copy = (TensorProto)MemberwiseClone();
        copy.Dims = [.. Dims];
        copy.FloatData = [.. FloatData];
        copy.Int32Data = [.. Int32Data];
        copy.StringData = [.. StringData];
        copy.Int64Data = [.. Int64Data];
        copy.DoubleData = [.. DoubleData];
        copy.Uint64Data = [.. Uint64Data];
        copy.ExternalData = ExternalData.ConvertAll(static entry => entry.Clone());
        copy.MetadataProps = MetadataProps.ConvertAll(static entry => entry.Clone());
        return copy;
    }

    private T[] ToArray<T>(TensorDataType type)
        where T : unmanaged
    {
        if (DataType != type)
            throw new ModelException($"Tensor '{Name}' is of type {DataType.TextName()} where {type.TextName()} is needed.");
        return MemoryMarshal.Cast<byte, T>(GetBytes().Span).ToArray();
    }

    private byte[] EncodeTypedFields()
    {
        var byteCount = ByteCount;
        RequireByteCount(TypedByteCount);

        var bytes = new byte[byteCount];
        switch (DataType)
        {
            case TensorDataType.Float or TensorDataType.Complex64:
                Encode(FloatData, bytes, BinaryPrimitives.WriteSingleLittleEndian);
                break;
            case TensorDataType.Double or TensorDataType.Complex128:
                Encode(DoubleData, bytes, BinaryPrimitives.WriteDoubleLittleEndian);
                break;
            case TensorDataType.Int64:
                Encode(Int64Data, bytes, BinaryPrimitives.WriteInt64LittleEndian);
                break;
            case TensorDataType.UInt64:
                Encode(Uint64Data, bytes, BinaryPrimitives.WriteUInt64LittleEndian);
                break;
            case TensorDataType.UInt32:
                Encode(Uint64Data, bytes, (span, value) => BinaryPrimitives.WriteUInt32LittleEndian(span, (uint)value));
                break;
            case TensorDataType.Int32:
                Encode(Int32Data, bytes, BinaryPrimitives.WriteInt32LittleEndian);
                break;
            default:
                if (DataType.BitsPerElement() == 16)
                    Encode(Int32Data, bytes, (span, value) => BinaryPrimitives.WriteUInt16LittleEndian(span, (ushort)value));
                else
                    Encode(Int32Data, bytes, (span, value) => span[0] = (byte)value);
                break;
        }

        return bytes;
    }

    private static void Encode<T>(List<T> values, byte[] bytes, SpanWriter<T> write)
    {
        var size = values.Count == 0 ? 0 : bytes.Length / values.Count;
        for (var i = 0; i < values.Count; i++)
            write(bytes.AsSpan(i * size), values[i]);
    }

    private delegate void SpanWriter<in T>(Span<byte> destination, T value);
}
