namespace NestQuant.Onnx.Files;

/// <summary>File access whose errors are one clear line.</summary>
internal static class InputFile
{
    /// <summary>Opens a file for sequential reading.</summary>
    /// <exception cref="ModelException">The file is missing, not readable or not a regular one.</exception>
    public static FileStream Open(string path) => Try(path, () =>
    {
        FileStatus.RequireRegular(path);
        return new FileStream(
            path, new FileStreamOptions { Options = FileOptions.SequentialScan, Share = FileShare.Read | FileShare.Delete });
    });

    /// <summary>Bytes of a file; symbolic links are followed.</summary>
    public static long Length(string path) => Try(path, () => FileStatus.Of(path)?.Length ?? throw new FileNotFoundException());

    /// <summary>Reads a whole file.</summary>
    public static byte[] ReadAll(string path) => Try(path, () =>
    {
        FileStatus.RequireRegular(path);
        return File.ReadAllBytes(path);
    });

    /// <summary>Reads some bytes; 0 at the end. A damaged compressed stream is bad input too.</summary>
    public static int Read(Stream stream, Span<byte> bytes, string name)
    {
        try
        {
            return stream.Read(bytes);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or NotSupportedException)
        {
            throw new ModelException($"{name}: cannot be read: {e.Message}", e);
        }
    }

    private static T Try<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException($"{path}: no such file", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ModelException(Directory.Exists(path) ? $"{path}: is a folder, not a file" : $"{path}: permission denied", e);
        }
        catch (IOException e)
        {
            throw new ModelException($"{path}: cannot be read: {e.Message}", e);
        }
    }
}
