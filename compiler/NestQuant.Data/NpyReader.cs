using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Data;

/// <summary>
/// Reads a <c>.npy</c> array front to back, a few rows at a time, so that a data set need not fit into memory. A row is all elements with
/// the same index on the first axis.
/// </summary>
/// <remarks>
/// Big-endian elements are swapped. An array in Fortran order has no contiguous rows: it is read whole and transposed.
/// </remarks>
internal sealed class NpyReader : IDisposable
{
    private const int ChunkBytes = 1 << 20;

    private readonly string _name;
    private Stream _stream;
    private NpyHeader _header;
    private long _rowsRead;

    private NpyReader(Stream stream, NpyHeader header, string name)
    {
        _stream = stream;
        _header = header;
        _name = name;
    }

    /// <summary>Element type.</summary>
    public NpyType Type => _header.Type;

    /// <summary>Extents; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape => _header.Shape;

    /// <summary>Extent of the first axis; a scalar counts as one row.</summary>
    public long Rows => Shape.Count == 0 ? 1 : Shape[0];

    /// <summary>Opens a file.</summary>
    /// <exception cref="ModelException">The file is missing or not a <c>.npy</c> array of its own length.</exception>
    public static NpyReader Open(string path)
    {
        FileStream stream = InputFile.Open(path);
        return Open(stream, stream.Length, path);
    }

    /// <summary>Opens a stream and takes ownership of it.</summary>
    /// <param name="stream">Positioned at the start of the array.</param>
    /// <param name="length">Bytes of header and elements together.</param>
    /// <param name="name">Name of the array in messages.</param>
    /// <exception cref="ModelException">The content is not a <c>.npy</c> array of that length.</exception>
    public static NpyReader Open(Stream stream, long length, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        try
        {
            NpyHeader header = NpyHeader.Read(stream, name);
            long dataLength = length - header.DataOffset;
            if (dataLength != header.ByteCount)
            {
                string problem = dataLength < header.ByteCount ? "truncated" : "followed by other data";
                throw new ModelException(
                    $"{name}: {problem}: shape ({string.Join(", ", header.Shape)}) takes {header.ByteCount} bytes, the file has "
                        + $"{dataLength}");
            }

            return new NpyReader(stream, header, name);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads the next rows: <paramref name="count"/>, or fewer at the end.</summary>
    /// <param name="count">Most rows to read, at least 1.</param>
    /// <returns>An array of the same rank, or null after the last row.</returns>
    /// <exception cref="ModelException">The rows do not fit into memory, or the file has become shorter.</exception>
    public NpyArray? ReadRows(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        long rows = Math.Min(count, Rows - _rowsRead);
        if (rows == 0)
            return null;
        _rowsRead += rows;
        long[] shape = [.. Shape];
        if (shape.Length > 0)
            shape[0] = rows;
        return new NpyArray(Type, shape, ReadElements(NpyHeader.CountOf(shape) * Type.Size()));
    }

    /// <summary>Reads all rows; must be the first read.</summary>
    /// <exception cref="ModelException">The array does not fit into memory.</exception>
    public NpyArray ReadToEnd()
    {
        _rowsRead = Rows;
        return new NpyArray(Type, Shape, ReadElements(_header.ByteCount));
    }

    /// <summary>
    /// Memory for reading some rows at a time, at most that of two arrays of the largest possible size.
    /// </summary>
    internal long BytesAtOnce(long rows)
    {
        long most = Array.MaxLength;
        if (IsTransposed)
            return 2 * Math.Min(_header.ByteCount, most);
        return Rows == 0 ? 0 : Math.Min(_header.ByteCount / Rows * Math.Min(rows, Rows), 2 * most);
    }

    private bool IsTransposed => _header.FortranOrder && Shape.Count > 1;

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private byte[] ReadElements(long byteCount)
    {
        if (IsTransposed)
            Transpose();
        return ReadStored(byteCount);
    }

    private byte[] ReadStored(long byteCount)
    {
        if (byteCount > Array.MaxLength)
            throw new ModelException($"{_name}: {byteCount} bytes at once are too many: use a smaller batch or a smaller array");
        byte[] bytes = new byte[byteCount];
        for (int done = 0; done < bytes.Length;)
        {
            int got = InputFile.Read(_stream, bytes.AsSpan(done, Math.Min(ChunkBytes, bytes.Length - done)), _name);
            if (got == 0)
                throw new ModelException($"{_name}: truncated: {bytes.Length - done} bytes are missing");
            done += got;
        }

        if (_header.BigEndian)
            SwapElements(bytes, Type.Size());
        return bytes;
    }

    private void Transpose()
    {
        byte[] fortran = ReadStored(_header.ByteCount);
        byte[] c = FortranOrder.ToC(fortran, Shape, Type.Size());
        _stream.Dispose();
        _stream = new MemoryStream(c, writable: false);
        _header = _header with { FortranOrder = false, BigEndian = false, DataOffset = 0 };
    }

    private static void SwapElements(Span<byte> bytes, int size)
    {
        for (int i = 0; size > 1 && i < bytes.Length; i += size)
            bytes.Slice(i, size).Reverse();
    }
}
