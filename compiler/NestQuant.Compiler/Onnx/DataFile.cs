using System.Security.Cryptography;

namespace NestQuant.Compiler.Onnx;

/// <summary>
/// The layout of one external data file: tensors one after another, each at a multiple of <see cref="Alignment"/> so that it can
/// be mapped on its own. Tensors with the same content in memory, or the same name and bytes, are stored once.
/// </summary>
internal sealed class DataFile(string path)
{
    /// <summary>Bytes; the page size of the platforms that matter.</summary>
    public const int Alignment = 4096;

    private const int ChunkSize = 1 << 20;

    private readonly List<(TensorContent Content, string Name, long Offset)> _entries = [];
    private long _end;

    public string Path { get; } = path;

    /// <summary>SHA-256 of the file, lower-case hexadecimal; zeros until <see cref="WriteTo"/> has written it.</summary>
    public string Sha256 { get; private set; } = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>The file as models list it.</summary>
    public DataFileEntry Entry => new(System.IO.Path.GetFileName(Path), _end, Sha256);

    /// <summary>Places a tensor's content.</summary>
    /// <returns>Its offset in the file and its length, in bytes.</returns>
    public (long Offset, long Length) Add(TensorProto tensor)
    {
        var content = TensorContent.Of(tensor);
        foreach (var entry in _entries)
        {
            if (entry.Content.IsSameMemory(content) || (entry.Name == tensor.Name && entry.Content.HasSameBytes(content, ChunkSize)))
                return (entry.Offset, content.Length);
        }

        var offset = (_end + Alignment - 1) / Alignment * Alignment;
        _entries.Add((content, tensor.Name, offset));
        _end = offset + content.Length;
        return (offset, content.Length);
    }

    /// <summary>Writes the file. Chunks of zeros become holes where the file system has them.</summary>
    public void WriteTo(FileStream stream, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ReadOnlySpan<byte> gap = stackalloc byte[Alignment];
        var end = 0L;
        foreach (var (content, _, offset) in _entries)
        {
            hash.AppendData(gap[..(int)(offset - end)]);
            end = offset + content.Length;
            for (var at = 0L; at < content.Length; at += ChunkSize)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var chunk = content.Memory(at, (int)Math.Min(ChunkSize, content.Length - at)).Span;
                hash.AppendData(chunk);
                if (chunk.IndexOfAnyExcept((byte)0) < 0)
                    continue;
                stream.Position = offset + at;
                stream.Write(chunk);
            }
        }

        stream.SetLength(_end);
        Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>The bytes of a tensor of any size: a mapped region, or memory.</summary>
internal readonly record struct TensorContent(MappedRegion? Region, ReadOnlyMemory<byte> Bytes)
{
    public long Length => Region?.Length ?? Bytes.Length;

    public static TensorContent Of(TensorProto tensor) =>
        tensor.IsExternal ? new TensorContent(tensor.RequireExternalContent(), default) : new TensorContent(null, tensor.GetBytes());

    public ReadOnlyMemory<byte> Memory(long start, int length) =>
        Region is { } region ? region.Memory(start, length) : Bytes.Slice((int)start, length);

    public bool IsSameMemory(TensorContent other) => Region == other.Region && Bytes.Equals(other.Bytes);

    public bool HasSameBytes(TensorContent other, int chunkSize)
    {
        if (Length != other.Length)
            return false;
        for (var at = 0L; at < Length; at += chunkSize)
        {
            var size = (int)Math.Min(chunkSize, Length - at);
            if (!Memory(at, size).Span.SequenceEqual(other.Memory(at, size).Span))
                return false;
        }

        return true;
    }
}
