namespace NestQuant.Onnx.Files.Transactions;

/// <summary>
/// A hidden folder beside files to be written, on the same file system. A locked file beside it shows that its owner is running: the
/// operating system releases the lock however the owner ends. Creating a staging folder removes those in the same place whose owner has
/// ended.
/// </summary>
internal sealed class StagingFolder : IDisposable
{
    private const string Prefix = ".nestquant-", LockExtension = ".lock";
    private const int MaxAttempts = 3;

    private readonly string _path;
    private readonly FileStream _lock;

    private StagingFolder(string path, FileStream held)
    {
        _path = path;
        _lock = held;
        New = Path.Combine(path, "new");
        Old = Path.Combine(path, "old");
    }

    /// <summary>Where new files are written.</summary>
    public string New { get; }

    /// <summary>Where replaced files are kept until all are replaced.</summary>
    public string Old { get; }

    /// <summary>Creates a staging folder in a folder.</summary>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written to.</exception>
    public static StagingFolder Create(string parent)
    {
        var held = CreateLock(parent);
        RemoveAbandoned(parent, held.Name);
        var staging = new StagingFolder(held.Name[..^LockExtension.Length], held);
        try
        {
            foreach (var folder in new[] { staging.New, staging.Old })
            {
                FileOperation.Announce();
                Directory.CreateDirectory(folder);
            }
        }
        catch
        {
            staging.Dispose();
            throw;
        }

        return staging;
    }

    /// <summary>Removes the folder with everything in it.</summary>
    public void Dispose() => Remove(_path, _lock);

    private static FileStream CreateLock(string parent)
    {
        for (var attempt = 1; ; attempt++)
        {
            var path = Path.Combine(parent, $"{Prefix}{Path.GetRandomFileName()}{LockExtension}");
            try
            {
                FileOperation.Announce();
                var held = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);

                // Between creation and lock another process may have considered the file abandoned and removed it.
                if (File.Exists(path))
                    return held;
                held.Dispose();
            }
            catch (IOException) when (attempt < MaxAttempts)
            {
            }
        }
    }

    private static void RemoveAbandoned(string parent, string own)
    {
        // Where a second handle can lock the file too, locks have no effect, and whether an owner is running is not known.
        if (TryLock(own) is { } second)
        {
            second.Dispose();
            return;
        }

        try
        {
            foreach (var path in Directory.EnumerateFiles(parent, $"{Prefix}*{LockExtension}"))
            {
                if (path != own && TryLock(path) is { } abandoned)
                    Remove(path[..^LockExtension.Length], abandoned);
            }
        }
        catch (UnauthorizedAccessException)
        {
            // A folder may be writable and still not be listed.
        }
    }

    private static FileStream? TryLock(string path)
    {
        try
        {
            FileStatus.RequireRegular(path);
            return new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The lock is removed last, so that an interrupted removal can be completed by the next one. Failing to remove must not hide another
    // failure.
    private static void Remove(string folder, FileStream held)
    {
        try
        {
            FileOperation.Announce();
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
            held.Dispose();
            FileOperation.Announce();
            File.Delete(held.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
        }
    }
}
