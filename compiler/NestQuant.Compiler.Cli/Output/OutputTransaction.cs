using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Cli.Output;

/// <summary>
/// Files that appear together or not at all: each is written into a staging folder beside its destination and moved there by
/// <see cref="Commit"/>. Disposing without a commit removes everything, folders that were created for it included.
/// </summary>
internal sealed class OutputTransaction : IDisposable
{
    private readonly Dictionary<string, string> _staging = new(StringComparer.Ordinal);
    private readonly List<string> _createdFolders = [];
    private readonly List<(string Staged, string Destination)> _files = [];
    private bool _committed;

    /// <summary>Path at which to write a file that will become <paramref name="destination"/>.</summary>
    /// <remarks>Files are moved in the order of these calls.</remarks>
    /// <exception cref="ModelException">The destination's folder cannot be created or written to, or the destination is a folder.</exception>
    public string Stage(string destination)
    {
        string full = Path.GetFullPath(destination);
        string staged = Path.Combine(StagingFolder(Path.GetDirectoryName(full) ?? full), Path.GetFileName(full));
        Add(staged, full);
        return staged;
    }

    /// <summary>The folder in which to write files that will appear in <paramref name="folder"/>; each is to be named to <see cref="Adopt"/>.</summary>
    /// <exception cref="ModelException">The folder cannot be created or written to.</exception>
    public string StagingFolder(string folder)
    {
        string full = Path.GetFullPath(folder);
        if (_staging.TryGetValue(full, out string? staging))
            return staging;
        try
        {
            CreateFolder(full);
            staging = Path.Combine(full, $".nestquant-{Path.GetRandomFileName()}");
            Directory.CreateDirectory(staging);
            return _staging[full] = staging;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{folder}: cannot be written to: {e.Message}", e);
        }
    }

    /// <summary>Takes over a file that was written into a staging folder.</summary>
    /// <returns>Where it will appear.</returns>
    public string Adopt(string staged)
    {
        string folder = _staging.First(pair => pair.Value == Path.GetDirectoryName(staged)).Key;
        string destination = Path.Combine(folder, Path.GetFileName(staged));
        Add(staged, destination);
        return destination;
    }

    /// <summary>Moves every staged file to its destination, replacing what is there.</summary>
    public void Commit()
    {
        foreach (var (staged, destination) in _files)
            File.Move(staged, destination, overwrite: true);
        _committed = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (string folder in _staging.Values)
            TryDelete(folder, recursive: true);
        if (_committed)
            return;
        for (int i = _createdFolders.Count - 1; i >= 0; i--)
            TryDelete(_createdFolders[i], recursive: false);
    }

    private void Add(string staged, string destination)
    {
        if (Directory.Exists(destination) || Path.GetFileName(destination).Length == 0)
            throw new ModelException($"{destination}: is a folder: name the file to write");
        _files.Add((staged, destination));
    }

    private void CreateFolder(string folder)
    {
        var missing = new Stack<string>();
        for (string? current = folder; current is not null && !Directory.Exists(current); current = Path.GetDirectoryName(current))
            missing.Push(current);
        while (missing.TryPop(out string? next))
        {
            Directory.CreateDirectory(next);
            _createdFolders.Add(next);
        }
    }

    // Clean-up after a failure must not hide the failure itself.
    private static void TryDelete(string folder, bool recursive)
    {
        try
        {
            Directory.Delete(folder, recursive);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }
}
