namespace NestQuant.Onnx.Files.Transactions;

/// <summary>The files that a command reads: it must not replace any of them, and none may change while it runs.</summary>
internal sealed class ReadFiles
{
    // Class folders of pictures and sets of test data lie one level down.
    private static readonly EnumerationOptions DataFiles = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = 1,
        AttributesToSkip = default,
    };

    private readonly List<ReadFile> _files = [];
    private readonly List<string> _folders = [];

    /// <summary>Adds a file, or a folder with the files in it, before it is read. A missing one is reported by whoever reads it.</summary>
    /// <exception cref="ModelException">It is a pipe or a device.</exception>
    public void Add(string path)
    {
        switch (FileStatus.Of(path))
        {
            case { Kind: FileKind.Other }:
                throw new ModelException($"{path}: is not a regular file");
            case { Kind: FileKind.Folder }:
                _folders.Add(path);
                break;
            case { } status:
                _files.Add(new ReadFile(path, status, null));
                break;
        }
    }

    /// <summary>Adds the data files that a model reads.</summary>
    /// <param name="model">The model.</param>
    /// <param name="exceptOf">Path of a model whose own data files are left out, as when it is replaced together with them.</param>
    public void AddData(ModelProto model, string? exceptOf = null)
    {
        var excepted = exceptOf is null ? null : RealPath.Of(exceptOf);
        _files.AddRange(TensorWalk.DataFiles(model)
            .Where(file => file.Model is null || RealPath.Of(file.Model) != excepted)
            .Select(file => new ReadFile(file.Path, file.Status, file)));
    }

    /// <summary>Fails when a file to be written is one of them, under any name.</summary>
    /// <exception cref="ModelException">It is.</exception>
    public void RequireOther(string destination)
    {
        if (FileStatus.Of(destination) is not { } existing)
            return;
        var inFolders = _folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*", DataFiles));
        var read = _files.Find(file => file.Status.Identity == existing.Identity)?.Path
            ?? inFolders.FirstOrDefault(path => FileStatus.Of(path)?.Identity == existing.Identity);
        if (read is not null)
            throw new ModelException($"{destination}: would replace {read}, which this command reads: choose another name or folder");
    }

    /// <summary>Fails when the content of a file has changed.</summary>
    /// <exception cref="ModelException">It has, or the file no longer exists.</exception>
    public void RequireUnchanged()
    {
        foreach (var file in _files)
        {
            if (file.Now is not { } now || (now.Length, now.Modified) != (file.Status.Length, file.Status.Modified))
                throw SourceFile.Changed(file.Path);
        }
    }

    private sealed record ReadFile(string Path, FileStatus Status, SourceFile? Open)
    {
        // A file that is held open is the one that was read, even if its name now belongs to another file.
        public FileStatus? Now => Open is null ? FileStatus.Of(Path) : Open.Now;
    }
}
