using System.IO.Compression;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Data;

/// <summary>The named arrays of a <c>.npz</c> archive, stored or deflated.</summary>
public sealed class NpzFile
{
    private const string Extension = ".npy";

    private readonly string _path;

    private NpzFile(string path, IReadOnlyList<string> names)
    {
        _path = path;
        Names = names;
    }

    /// <summary>Names of the arrays in the archive's order, without <c>.npy</c>.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Reads the archive's directory.</summary>
    /// <exception cref="ModelException">The file is missing, no archive, or holds something else than uniquely named arrays.</exception>
    public static NpzFile Open(string path)
    {
        using ZipArchive archive = OpenArchive(path);
        var names = new List<string>();
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            if (!entry.FullName.EndsWith(Extension, StringComparison.Ordinal))
                throw new ModelException($"{path}: entry '{entry.FullName}' is not a .npy array");
            string name = entry.FullName[..^Extension.Length];
            if (names.Contains(name, StringComparer.Ordinal))
                throw new ModelException($"{path}: two arrays are called '{name}'");
            names.Add(name);
        }

        return names.Count > 0 ? new NpzFile(path, names) : throw new ModelException($"{path}: the archive is empty");
    }

    /// <summary>Opens one array for streaming; several may be open at once.</summary>
    /// <exception cref="ModelException">There is no such array, or it is damaged.</exception>
    public NpyReader OpenArray(string name)
    {
        // An archive per array: entries of one archive share its stream, and readers of several arrays advance in turns.
        ZipArchive archive = OpenArchive(_path);
        try
        {
            ZipArchiveEntry entry = archive.GetEntry(name + Extension) ?? throw new ModelException($"{_path}: no array '{name}'");
            return NpyReader.Open(new ArchiveEntryStream(archive, entry.Open()), entry.Length, $"{_path} ({name})");
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException or IOException)
        {
            archive.Dispose();
            throw new ModelException($"{_path}: array '{name}' cannot be read: {e.Message}", e);
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }

    private static ZipArchive OpenArchive(string path)
    {
        FileStream stream = InputFile.Open(path);
        try
        {
            var archive = new ZipArchive(stream, ZipArchiveMode.Read);
            _ = archive.Entries.Count;
            return archive;
        }
        catch (Exception e) when (e is InvalidDataException or IOException or NotSupportedException or ArgumentException)
        {
            stream.Dispose();
            throw new ModelException($"{path}: not a .npz archive: {e.Message}", e);
        }
    }

    /// <summary>The content of an entry; closing it closes the archive.</summary>
    private sealed class ArchiveEntryStream(ZipArchive archive, Stream content) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer) => content.Read(buffer);

        public override int Read(byte[] buffer, int offset, int count) => content.Read(buffer, offset, count);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                content.Dispose();
                archive.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
