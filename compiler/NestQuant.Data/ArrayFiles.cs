using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Data;

/// <summary>
/// The arrays of <c>.npy</c> files or of a <c>.npz</c> archive, opened together and read in turns. Each is named as the input that it is
/// for; one called <c>labels</c> stands apart.
/// </summary>
internal sealed class ArrayFiles : IDisposable
{
    private const string LabelsName = "labels";
    private const string Extension = ".npy";

    /// <summary>
    /// Bytes that the rows read at once may take besides twice the files: a deflated array can be a thousand times as large as its file.
    /// </summary>
    private const long InflatedBytes = 128L << 20;

    private readonly NpzFile? _archive;

    private ArrayFiles(string name, IReadOnlyList<(string? Name, NpyReader Reader)> arrays, NpzFile? archive, long storedBytes)
    {
        Name = name;
        _archive = archive;
        StoredBytes = storedBytes;
        Labels = arrays.FirstOrDefault(static array => array.Name == LabelsName).Reader;
        Inputs = [.. arrays.Where(static array => array.Name != LabelsName)];
    }

    /// <summary>What they are, for messages.</summary>
    public string Name { get; }

    /// <summary>The arrays for inputs, at least one; that of a file has no name.</summary>
    public IReadOnlyList<(string? Name, NpyReader Reader)> Inputs { get; }

    /// <summary>The labels; null where there are none.</summary>
    public NpyReader? Labels { get; }

    /// <summary>Length of all files.</summary>
    public long StoredBytes { get; }

    /// <summary>Whether a folder holds <c>.npy</c> files for inputs.</summary>
    public static bool AreIn(string folder) =>
        Array.Exists(FilesIn(folder), static file => Path.GetFileNameWithoutExtension(file) != LabelsName);

    /// <summary>Opens a <c>.npy</c> file, a <c>.npz</c> archive, or all <c>.npy</c> files of a folder.</summary>
    /// <exception cref="ModelException">There is no such file, or it is damaged.</exception>
    public static ArrayFiles Open(string path)
    {
        if (Directory.Exists(path))
            return Open(path, [.. FilesIn(path).Select(file => new NamedFile(Path.GetFileNameWithoutExtension(file), file))]);
        return IsArchive(path) ? OpenArchive(path) : Open(path, [new NamedFile(null, path)]);
    }

    /// <summary>Opens <c>.npy</c> files.</summary>
    /// <param name="name">What they are, for messages.</param>
    /// <param name="files">The files, each with a name.</param>
    /// <exception cref="ModelException">One is missing or damaged, or two have one name.</exception>
    public static ArrayFiles Open(string name, IReadOnlyList<NamedFile> files)
    {
        if (files.Count > NpzFile.MaxArrays)
            throw new ModelException($"{name}: {files.Count} arrays: more than {NpzFile.MaxArrays} are not supported");
        if (files.GroupBy(static file => file.Name).FirstOrDefault(static group => group.Count() > 1) is { } twice)
            throw new ModelException($"{name}: two arrays are called '{twice.Key}'");
        return Open(name, files, static file => NpyReader.Open(file.Path), archive: null, files.Sum(file => InputFile.Length(file.Path)));
    }

    /// <summary>Whether a path is that of a <c>.npz</c> archive.</summary>
    public static bool IsArchive(string path) => Path.GetExtension(path).Equals(".npz", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads all arrays for inputs.</summary>
    /// <exception cref="ModelException">They take far more memory than the files, or one is damaged.</exception>
    public IReadOnlyList<NamedArray> ReadAll()
    {
        VerifyMemory(Inputs.Sum(static input => input.Reader.BytesAtOnce(input.Reader.Rows)));
        return [.. Inputs.Select(static input => new NamedArray(input.Name, input.Reader.ReadToEnd()))];
    }

    /// <summary>Fails when reading takes far more memory than the files have bytes.</summary>
    /// <exception cref="ModelException">It does.</exception>
    public void VerifyMemory(long bytes)
    {
        if (bytes <= InflatedBytes + (2 * StoredBytes))
            return;
        throw new ModelException(
            $"{Name}: one batch takes {bytes} bytes of memory, far more than the file: use smaller batches, C order, or arrays "
                + "that are not deflated");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (_, reader) in Inputs)
            reader.Dispose();
        Labels?.Dispose();
        _archive?.Dispose();
    }

    private static string[] FilesIn(string folder) =>
        [.. Directory.GetFiles(folder, "*" + Extension).Order(StringComparer.Ordinal)];

    private static ArrayFiles OpenArchive(string path)
    {
        NpzFile archive = NpzFile.Open(path);
        NamedFile[] entries = [.. archive.Names.Select(name => new NamedFile(name, path))];
        return Open(path, entries, entry => archive.OpenArray(entry.Name!), archive, InputFile.Length(path));
    }

    private static ArrayFiles Open(
        string name, IReadOnlyList<NamedFile> files, Func<NamedFile, NpyReader> open, NpzFile? archive, long storedBytes)
    {
        var readers = new List<(string? Name, NpyReader Reader)>();
        try
        {
            if (files.All(static file => file.Name == LabelsName))
                throw new ModelException($"{name}: there are labels but no inputs");
            foreach (NamedFile file in files)
                readers.Add((file.Name, open(file)));
            return new ArrayFiles(name, readers, archive, storedBytes);
        }
        catch
        {
            readers.ForEach(static array => array.Reader.Dispose());
            archive?.Dispose();
            throw;
        }
    }
}
