namespace NestQuant.Compiler.Onnx;

/// <summary>
/// Files that appear together or not at all: each is written under a temporary name in its final folder, flushed to disk and
/// renamed at the end. Disposing before <see cref="Commit"/> removes every trace.
/// </summary>
internal sealed class FileTransaction : IDisposable
{
    private readonly List<(string Temporary, string Final, FileStream Stream)> _files = [];
    private readonly List<string> _createdFolders = [];

    /// <summary>Opens a new file for writing. Its folder is created when missing.</summary>
    /// <param name="path">The final path.</param>
    /// <returns>The stream, owned by the transaction.</returns>
    public FileStream Create(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        CreateFolder(folder);
        if (Directory.Exists(path))
            throw new IOException("it is a folder");

        var temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Path.GetRandomFileName()}.tmp");
        var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        _files.Add((temporary, path, stream));
        return stream;
    }

    /// <summary>Flushes all files to disk, then renames them in the order in which they were created.</summary>
    /// <returns>The files, in that order.</returns>
    public IReadOnlyList<SavedFile> Commit()
    {
        var saved = new List<SavedFile>();
        foreach (var (_, final, stream) in _files)
        {
            stream.Flush(flushToDisk: true);
            saved.Add(new SavedFile(final, stream.Length));
            stream.Dispose();
        }

        var appeared = new List<string>();
        try
        {
            foreach (var (temporary, final, _) in _files)
            {
                var isNew = !File.Exists(final);
                File.Move(temporary, final, overwrite: true);
                if (isNew)
                    appeared.Add(final);
            }
        }
        catch
        {
            appeared.ForEach(File.Delete);
            throw;
        }

        _files.Clear();
        _createdFolders.Clear();
        return saved;
    }

    public void Dispose()
    {
        foreach (var (temporary, _, stream) in _files)
        {
            stream.Dispose();
            File.Delete(temporary);
        }

        for (var i = _createdFolders.Count - 1; i >= 0; i--)
        {
            if (!Directory.EnumerateFileSystemEntries(_createdFolders[i]).Any())
                Directory.Delete(_createdFolders[i]);
        }
    }

    private void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        if (Path.GetDirectoryName(folder) is { } parent)
            CreateFolder(parent);
        Directory.CreateDirectory(folder);
        _createdFolders.Add(folder);
    }
}
