using System.Text;

namespace NestQuant.Onnx.Files.Transactions;

/// <summary>
/// Files that appear together or not at all. Each is written to a <see cref="StagingFolder"/> beside its destination, flushed to
/// disk, and renamed by <see cref="Commit"/>. Disposing without a commit removes everything, including folders that were created for it; so
/// does the end of the process, unless it is killed. All errors name the files by the caller's paths.
/// </summary>
internal sealed class FileTransaction : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<FileIdentity, StagingFolder> _staging = [];
    private readonly List<string> _createdFolders = [];
    private readonly List<StagedFile> _files = [];
    private readonly List<StagedFile> _leaving = [];
    private bool _committed, _disposed;

    /// <summary>Starts a transaction.</summary>
    public FileTransaction() => AppDomain.CurrentDomain.ProcessExit += OnProcessExit;

    /// <summary>The files that must not be replaced.</summary>
    public ReadFiles Reads { get; } = new();

    /// <summary>Prepares to write to a folder, which is created when missing, so that a failure shows before any work is done.</summary>
    /// <exception cref="ModelException">The folder cannot be created or written to.</exception>
    public void OpenFolder(string folder) => StagingOf(folder);

    /// <summary>Fails when a file of that name cannot be written.</summary>
    /// <exception cref="ModelException">It is a folder, not a regular file, or one that is read.</exception>
    public void Check(string destination)
    {
        if (Path.GetFileName(destination).Length == 0 || FileStatus.Of(destination) is { Kind: FileKind.Folder })
            throw new ModelException($"Cannot write '{destination}': it is a folder; name the file to write.");
        if (FileStatus.Of(destination) is { Kind: FileKind.Other })
            throw new ModelException($"Cannot write '{destination}': it is not a regular file.");
        Reads.RequireOther(destination);
    }

    /// <summary>Writes a file that will appear at its destination.</summary>
    /// <param name="destination">Where.</param>
    /// <param name="content">Writes the content to a stream.</param>
    /// <param name="isModel">Whether this file describes the others: it is moved into place last, and an old one is moved away
    /// first.</param>
    /// <exception cref="ModelException">It cannot be written, is one that is read, or another file of this transaction.</exception>
    public SavedFile Write(string destination, Action<FileStream> content, bool isModel = false)
    {
        Check(destination);
        var file = new StagedFile(destination, StagingOf(FolderOf(destination)), isModel);
        if (File.Exists(file.New))
            throw new ModelException($"Cannot write '{destination}': another file of this command has that path; choose another name.");
        try
        {
            FileOperation.Announce();
            using var stream = new StagedStream(file.New);
            lock (_gate)
                _files.Add(file);
            content(stream);
            FileOperation.Announce();
            stream.Flush(flushToDisk: true);
            return new SavedFile(destination, stream.Length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CannotWrite(destination, e);
        }
    }

    /// <summary>Writes a text in UTF-8; otherwise as <see cref="Write"/>.</summary>
    public SavedFile WriteText(string destination, string text) => Write(destination, stream => stream.Write(Encoding.UTF8.GetBytes(text)));

    /// <summary>Makes an existing file go when the others appear.</summary>
    /// <param name="path">The file, which none of this transaction replaces.</param>
    /// <param name="isModel">Whether it describes others.</param>
    /// <exception cref="ModelException">It cannot be moved, or is one that is read.</exception>
    public void Remove(string path, bool isModel)
    {
        Check(path);
        _leaving.Add(new StagedFile(path, StagingOf(FolderOf(path)), isModel));
    }

    /// <summary>The path of a file until the commit: its own name, in the staging folder of its destination folder.</summary>
    public string StagedPath(string destination) => _files.First(file => file.Destination == destination).New;

    /// <summary>
    /// Moves every file to its destination. An error restores the replaced files. All old files are moved away, models first, before the
    /// new ones are moved in, models last: a process that is killed in between leaves files missing rather than old and new ones together.
    /// </summary>
    /// <exception cref="ModelException">A file cannot be moved, or one that was read has changed; all files are as they were.</exception>
    public void Commit()
    {
        lock (_gate)
        {
            ThrowIfEnding();
            Reads.RequireUnchanged();
            var moves = new UndoableMoves();
            try
            {
                Replace(moves);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                moves.Undo();
                var failed = _files.Concat(_leaving).First(file => moves.Last == file.Destination || moves.Last == file.Old);
                throw CannotWrite(failed.Destination, e);
            }

            _committed = true;
            foreach (var folder in _files.Select(file => FolderOf(file.Destination)).Distinct(StringComparer.Ordinal))
                FolderFlush.Flush(folder);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
            foreach (var staging in _staging.Values)
                staging.Dispose();
            if (_committed)
                return;
            for (var i = _createdFolders.Count - 1; i >= 0; i--)
                TryDelete(_createdFolders[i]);
        }
    }

    private void OnProcessExit(object? sender, EventArgs e) => Dispose();

    private void ThrowIfEnding()
    {
        if (_disposed)
            throw new OperationCanceledException("the process is ending");
    }

    private void Replace(UndoableMoves moves)
    {
        // A single file replaces another in one rename.
        if (_files is [var only] && _leaving.Count == 0)
        {
            moves.Move(only.New, only.Destination);
            return;
        }

        foreach (var file in _files.Concat(_leaving).OrderByDescending(file => file.IsModel))
            moves.TryMove(file.Destination, file.Old);
        foreach (var file in _files.OrderBy(file => file.IsModel))
            moves.Move(file.New, file.Destination);
    }

    private StagingFolder StagingOf(string folder)
    {
        lock (_gate)
        {
            ThrowIfEnding();
            try
            {
                CreateFolder(Path.GetFullPath(folder));

                // By identity: two paths may lead to the same folder, where files of the same name are one file.
                var identity = FileStatus.Of(folder)?.Identity ?? throw new DirectoryNotFoundException();
                if (!_staging.TryGetValue(identity, out var staging))
                    _staging.Add(identity, staging = StagingFolder.Create(Path.GetFullPath(folder)));
                return staging;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw new ModelException($"Cannot write to folder '{folder}': {Reason(e)}.", e);
            }
        }
    }

    private void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        if (Path.GetDirectoryName(folder) is { } parent)
            CreateFolder(parent);
        FileOperation.Announce();
        Directory.CreateDirectory(folder);
        _createdFolders.Add(folder);
    }

    // Clean-up after a failure must not hide the failure itself.
    private static void TryDelete(string folder)
    {
        try
        {
            FileOperation.Announce();
            Directory.Delete(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static ModelException CannotWrite(string destination, Exception e) =>
        new($"Cannot write '{destination}': {Reason(e)}. No file was written.", e);

    // Without the path, which would be that of the staging folder.
    private static string Reason(Exception e)
    {
        var text = e.Message.ReplaceLineEndings(" ");
        var path = text.IndexOf(" : '", StringComparison.Ordinal);
        return e switch
        {
            UnauthorizedAccessException => "permission denied",
            FileNotFoundException or DirectoryNotFoundException => "its folder no longer exists",
            PathTooLongException => "the name is too long",
            _ => (path < 0 ? text : text[..path]).TrimEnd('.', ' '),
        };
    }

    private static string FolderOf(string destination) => Path.GetDirectoryName(Path.GetFullPath(destination))!;

    private sealed record StagedFile(string Destination, StagingFolder Staging, bool IsModel)
    {
        public string New => Path.Combine(Staging.New, Path.GetFileName(Destination));

        public string Old => Path.Combine(Staging.Old, Path.GetFileName(Destination));
    }

    private sealed class StagedStream(string path) : FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0)
    {
        public override void Write(byte[] buffer, int offset, int count)
        {
            FileOperation.Announce();
            base.Write(buffer, offset, count);
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            FileOperation.Announce();
            base.Write(buffer);
        }

        public override void SetLength(long value)
        {
            FileOperation.Announce();
            base.SetLength(value);
        }
    }
}
