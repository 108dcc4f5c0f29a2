using System.Security.Cryptography;

namespace NestQuant.Onnx.Files;

/// <summary>
/// The layout of one external data file: tensors one after another, each at a multiple of <see cref="Alignment"/> so that it can
/// be mapped on its own. Tensors with the same content in memory, or the same name and bytes, are stored once.
/// </summary>
internal sealed class DataFile(string path)
{
    /// <summary>Bytes; the page size of the supported platforms.</summary>
    public const int Alignment = 4096;

    private readonly List<(TensorContent Content, string Name, long Offset)> _entries = [];
    private long _end;

    public string Path { get; } = path;

    /// <summary>SHA-256 of the file, lower-case hexadecimal; zeros until <see cref="WriteTo"/> has written it.</summary>
    public string Sha256 { get; private set; } = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>The file's entry in the list of a model's data files.</summary>
    public DataFileEntry Entry => new(System.IO.Path.GetFileName(Path), _end, Sha256);

    /// <summary>Places a tensor's content.</summary>
    /// <returns>Its offset in the file and its length, in bytes.</returns>
    public (long Offset, long Length) Add(TensorProto tensor)
    {
        var content = TensorContent.Of(tensor);
        foreach (var entry in _entries)
        {
            if (entry.Content.IsSameMemory(content) || (entry.Name == tensor.Name && entry.Content.HasSameBytes(content)))
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
            var at = offset;
            foreach (var chunk in content.Chunks())
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.AppendData(chunk.Span);
                if (chunk.Span.ContainsAnyExcept((byte)0))
                {
                    stream.Position = at;
                    stream.Write(chunk.Span);
                }

                at += chunk.Length;
            }
        }

        stream.SetLength(_end);
        Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
