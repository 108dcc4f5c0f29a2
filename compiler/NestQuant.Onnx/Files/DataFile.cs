using System.Security.Cryptography;

namespace NestQuant.Onnx.Files;

/// <summary>
/// The layout of one external data file: tensors one after another, each at a multiple of <see cref="Alignment"/>. Tensors with the same
/// content are stored once.
/// </summary>
internal sealed class DataFile(string path)
{
    /// <summary>Bytes; a cache line. ONNX Runtime maps a tensor from the start of the page that its offset lies in.</summary>
    public const int Alignment = 64;

    /// <summary>Length of the start of a content by which equal ones are looked for.</summary>
    private const int StartLength = 4096;

    private readonly List<Entry> _entries = [];
    private readonly Dictionary<(long Length, int Start), List<Entry>> _sameStart = [];
    private long _end;

    public string Path { get; } = path;

    /// <summary>SHA-256 of the file, lower-case hexadecimal; zeros until <see cref="WriteTo"/> has written it.</summary>
    public string Sha256 { get; private set; } = new('0', 2 * SHA256.HashSizeInBytes);

    /// <summary>The file's entry in the list of a model's data files.</summary>
    public DataFileEntry Listing => new(System.IO.Path.GetFileName(Path), _end, Sha256);

    /// <summary>Places a tensor's content.</summary>
    /// <returns>Its offset in the file and its length, in bytes.</returns>
    public (long Offset, long Length) Add(TensorProto tensor)
    {
        var content = TensorContent.Of(tensor);
        var key = (content.Length, StartOf(tensor, content.Length));
        if (!_sameStart.TryGetValue(key, out var candidates))
            _sameStart.Add(key, candidates = []);
        var entry = candidates.Find(e => e.Content.IsSameMemory(content) || e.Content.HasSameBytes(content));
        if (entry is null)
        {
            entry = new Entry(content, (_end + Alignment - 1) / Alignment * Alignment);
            candidates.Add(entry);
            _entries.Add(entry);
            _end = entry.Offset + content.Length;
        }

        return (entry.Offset, content.Length);
    }

    /// <summary>Writes the file. Chunks of zeros become holes where the file system has them.</summary>
    public void WriteTo(FileStream stream, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ReadOnlySpan<byte> gap = stackalloc byte[Alignment];
        var end = 0L;
        foreach (var (content, offset) in _entries)
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

    private static int StartOf(TensorProto tensor, long length)
    {
        Span<byte> start = stackalloc byte[(int)Math.Min(StartLength, length)];
        tensor.CopyBytes(0, start);
        var hash = default(HashCode);
        hash.AddBytes(start);
        return hash.ToHashCode();
    }

    private sealed record Entry(TensorContent Content, long Offset);
}
