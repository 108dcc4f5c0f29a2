namespace NestQuant.Onnx;

/// <summary>The bytes of a tensor of any size: a part of a file, read when needed, or memory.</summary>
internal readonly record struct TensorContent(FileRegion? Region, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Size of the pieces in which content is read.</summary>
    public const int ChunkSize = 1 << 20;

    public long Length => Region?.Length ?? Bytes.Length;

    public static TensorContent Of(TensorProto tensor) =>
        tensor.IsExternal ? new TensorContent(tensor.RequireExternalContent(), default) : new TensorContent(null, tensor.GetBytes());

    /// <summary>The content in pieces of <see cref="ChunkSize"/> bytes and a remainder. Each is valid until the next one is
    /// requested.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Chunks()
    {
        var buffer = Region is null ? [] : new byte[Math.Min(ChunkSize, Length)];
        for (var at = 0L; at < Length; at += ChunkSize)
        {
            var size = (int)Math.Min(ChunkSize, Length - at);
            if (Region is { } region)
                region.File.Read(region.Offset + at, buffer.AsSpan(0, size));
            yield return Region is null ? Bytes.Slice((int)at, size) : buffer.AsMemory(0, size);
        }
    }

    public bool IsSameMemory(TensorContent other) => Region == other.Region && Bytes.Equals(other.Bytes);

    public bool HasSameBytes(TensorContent other) =>
        Length == other.Length && Chunks().Zip(other.Chunks()).All(pair => pair.First.Span.SequenceEqual(pair.Second.Span));
}
