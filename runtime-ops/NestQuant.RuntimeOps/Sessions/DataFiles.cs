using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Sessions;

/// <summary>The data files of an opened model, by its metadata <c>nestquant.files</c>, and what they were when it was opened.</summary>
internal sealed class DataFiles : IDisposable
{
    private const string MetadataKey = "nestquant.files";

    private readonly IReadOnlyDictionary<string, DataFile> _files;
    private readonly string _model;

    private DataFiles(string model, IReadOnlyDictionary<string, DataFile> files)
    {
        _model = model;
        _files = files;
    }

    /// <summary>Opens the files that a model lists; none where it lists none.</summary>
    /// <param name="model">Path of the model.</param>
    /// <param name="metadata">The model's metadata.</param>
    /// <exception cref="IOException">A file cannot be opened.</exception>
    /// <exception cref="InvalidDataException">The list is damaged.</exception>
    public static DataFiles Of(string model, IReadOnlyDictionary<string, string> metadata)
    {
        var files = new Dictionary<string, DataFile>(StringComparer.Ordinal);
        try
        {
            if (metadata.TryGetValue(MetadataKey, out string? text))
            {
                string folder = Path.GetDirectoryName(Path.GetFullPath(model))!;
                using JsonDocument list = JsonDocument.Parse(text);
                foreach (JsonProperty entry in list.RootElement.EnumerateObject())
                    files.Add(entry.Name, new DataFile(Path.Combine(folder, entry.Name), entry.Value.GetProperty("sha256").GetString()!));
            }

            return new DataFiles(model, files);
        }
        catch (Exception error)
        {
            foreach (DataFile file in files.Values)
                file.Dispose();
            if (error is not (JsonException or KeyNotFoundException or InvalidOperationException))
                throw;
            throw new InvalidDataException($"'{model}': its metadata '{MetadataKey}' is damaged: {error.Message}", error);
        }
    }

    /// <summary>What has happened to a file since it was opened, or null when nothing has.</summary>
    public string? Change() => _files.Values.Select(static file => file.Change()).FirstOrDefault(static change => change is not null);

    /// <summary>Checks that these files can follow others under a running session.</summary>
    /// <param name="before">The files that the session runs with.</param>
    /// <exception cref="InvalidDataException">They are of another compile, or the content of a new file is not what its model
    /// says.</exception>
    public void RequireSuccessor(DataFiles before)
    {
        string[] shared = [.. _files.Keys.Where(before._files.ContainsKey)];
        if (shared.Length == 0
            || shared.Any(name => !_files[name].Sha256.Equals(before._files[name].Sha256, StringComparison.OrdinalIgnoreCase)))
            throw new InvalidDataException(
                $"'{_model}' and '{before._model}' are not of the same compile: they do not share their high bits");
        foreach ((string name, DataFile file) in _files)
            if (!before._files.ContainsKey(name))
                file.RequireContent();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DataFile file in _files.Values)
            file.Dispose();
    }

    private sealed class DataFile : IDisposable
    {
        private readonly string _path;
        private readonly SafeFileHandle _handle;
        private readonly long _bytes;
        private readonly DateTime _written;

        public DataFile(string path, string sha256)
        {
            _path = path;
            Sha256 = sha256;
            _handle = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            _bytes = RandomAccess.GetLength(_handle);
            _written = File.GetLastWriteTimeUtc(_handle);
        }

        public string Sha256 { get; }

        // The handle is that of the file that is mapped, even where another has taken its name.
        public string? Change()
        {
            long bytes = RandomAccess.GetLength(_handle);
            if (bytes != _bytes)
                return Invariant($"'{_path}' had {_bytes} bytes when the model was opened and has {bytes} now");
            return File.GetLastWriteTimeUtc(_handle) == _written ? null : $"'{_path}' has been written to since the model was opened";
        }

        public void RequireContent()
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[1 << 20];
            int read;
            for (long offset = 0; (read = RandomAccess.Read(_handle, buffer, offset)) > 0; offset += read)
                hash.AppendData(buffer, 0, read);
            string actual = Convert.ToHexString(hash.GetHashAndReset()).ToLowerInvariant();
            if (!actual.Equals(Sha256, StringComparison.OrdinalIgnoreCase))
                throw new InvalidDataException(
                    $"'{_path}' is not the file that its model was written with: SHA-256 {actual}, {Sha256} expected; fetch it again");
        }

        public void Dispose() => _handle.Dispose();
    }
}
