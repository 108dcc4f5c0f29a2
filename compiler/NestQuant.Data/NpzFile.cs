using System.IO.Compression;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Data;

/// <summary>The named arrays of a <c>.npz</c> archive, stored or deflated.</summary>
internal sealed class NpzFile : IDisposable
{
    private const string Extension = ".npy";

    /// <summary>Most arrays, more than any model has inputs: each array that is read in turn needs a decompressor of its own.</summary>
    internal const int MaxArrays = 1000;

    private readonly string _path;
    private readonly ZipArchive _archive;
    private readonly OrderedDictionary<string, ZipArchiveEntry> _entries = new(StringComparer.Ordinal);

    private NpzFile(string path, ZipArchive archive) => (_path, _archive) = (path, archive);

    /// <summary>Names of the arrays in the archive's order, without <c>.npy</c>.</summary>
    public IReadOnlyList<string> Names => _entries.Keys;

    /// <summary>Opens an archive and reads its directory.</summary>
    /// <exception cref="ModelException">The file is missing, not an archive, or holds anything but uniquely named arrays.</exception>
    public static NpzFile Open(string path)
    {
        FileStream stream = InputFile.Open(path);
        NpzFile? file = null;
        try
        {
            file = new NpzFile(path, new ZipArchive(stream, ZipArchiveMode.Read));
            file.AddEntries();
            return file;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException or ArgumentException)
        {
            throw new ModelException($"{path}: not a .npz archive: {e.Message}", e);
        }
        finally
        {
            if (file is not { _entries.Count: > 0 })
                stream.Dispose();
        }
    }

    /// <summary>
    /// Opens one array for streaming, as long as the archive is open. Several may be open at once, and be read in turns by one thread.
    /// </summary>
    /// <exception cref="ModelException">There is no such array, or it is damaged.</exception>
    public NpyReader OpenArray(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_entries.TryGetValue(name, out ZipArchiveEntry? entry))
            throw new ModelException($"{_path}: no array '{name}'");
        try
        {
            return NpyReader.Open(entry.Open(), entry.Length, $"{_path} ({name})");
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException or IOException)
        {
            throw new ModelException($"{_path}: array '{name}' cannot be read: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();

    private void AddEntries()
    {
        foreach (ZipArchiveEntry entry in _archive.Entries)
        {
            if (!entry.FullName.EndsWith(Extension, StringComparison.Ordinal))
                throw new ModelException($"{_path}: entry '{entry.FullName}' is not a .npy array");
            string name = entry.FullName[..^Extension.Length];
            if (!_entries.TryAdd(name, entry))
                throw new ModelException($"{_path}: two arrays are called '{name}'");
            if (_entries.Count > MaxArrays)
                throw new ModelException(
                    $"{_path}: the archive holds {_archive.Entries.Count} arrays: more than {MaxArrays} are not supported");
        }

        if (_entries.Count == 0)
            throw new ModelException($"{_path}: the archive is empty");
    }
}
