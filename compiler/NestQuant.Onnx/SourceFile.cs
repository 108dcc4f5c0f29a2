using Microsoft.Win32.SafeHandles;

namespace NestQuant.Onnx;

/// <summary>
/// A regular file that is read piece by piece, when a piece is needed. The handle keeps its content reachable even when its name is given
/// to another file. A file that shrinks meanwhile causes an exception; with a memory mapping it would be a signal. Where tensors read from
/// it, it is not disposed but closed when nothing refers to it any longer.
/// </summary>
internal sealed class SourceFile : IDisposable
{
    private readonly SafeFileHandle _handle;

    private SourceFile(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
        Status = FileStatus.Of(handle, path);
    }

    /// <summary>The path by which it was opened.</summary>
    public string Path { get; }

    /// <summary>Its status when it was opened.</summary>
    public FileStatus Status { get; }

    /// <summary>Its status at this moment.</summary>
    public FileStatus Now => FileStatus.Of(_handle, Path);

    /// <summary>Path of the model whose data it holds; null when that is not known.</summary>
    public string? Model { get; init; }

    /// <summary>Opens a file; others may replace or delete it meanwhile.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="model">Path of the model whose data it holds, or null.</param>
    /// <exception cref="IOException">It is missing, not a regular file, or not readable.</exception>
    public static SourceFile Open(string path, string? model = null)
    {
        if (path.Length == 0)
            throw new FileNotFoundException();
        FileStatus.RequireRegular(path);
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return new SourceFile(path, handle) { Model = model };
    }

    /// <summary>Fills memory with the bytes from an offset on.</summary>
    /// <exception cref="ModelException">There are fewer bytes, or they cannot be read.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                var count = RandomAccess.Read(_handle, destination, offset);
                if (count == 0)
                    throw Changed(Path);
                destination = destination[count..];
                offset += count;
            }
        }
        catch (IOException e)
        {
            throw new ModelException($"'{Path}' cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The whole content, of the length that the file had when it was opened; at most <see cref="Array.MaxLength"/>
    /// bytes.</summary>
    /// <exception cref="ModelException">Its length has changed, or it cannot be read.</exception>
    public byte[] ReadAll()
    {
        var bytes = GC.AllocateUninitializedArray<byte>((int)Status.Length);
        Read(0, bytes);
        return RandomAccess.GetLength(_handle) == bytes.Length ? bytes : throw Changed(Path);
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    /// <summary>The error for a file whose content has changed.</summary>
    public static ModelException Changed(string path) =>
        new($"'{path}' changed while it was read; run the command again when nothing writes to it.");
}
