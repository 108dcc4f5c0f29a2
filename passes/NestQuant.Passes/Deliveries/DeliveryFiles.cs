using System.Security.Cryptography;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Files.Transactions;

namespace NestQuant.Passes.Deliveries;

/// <summary>Copies the files of deliveries.</summary>
public static class DeliveryFiles
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Writes the deliveries of a compiled model, each into a folder named by its precision, <c>bits-6</c>.</summary>
    /// <param name="path">Path of the whole model.</param>
    /// <param name="folder">Where the folders appear.</param>
    /// <param name="cancellation">Ends the work; nothing is written then.</param>
    /// <returns>The deliveries and their folders, lowest precision first.</returns>
    /// <exception cref="ModelException">The model cannot be split, or a file cannot be written; nothing was written.</exception>
    public static IReadOnlyList<(Delivery Delivery, string Folder)> Split(
        string path, string folder, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(folder);
        string source = Path.GetDirectoryName(path) ?? "";
        (Delivery Delivery, string Folder)[] deliveries = [.. Delivery.Of(path).Select(delivery => (delivery, FolderOf(delivery)))];
        using var transaction = new FileTransaction();
        foreach (SavedFile file in deliveries.SelectMany(static delivery => delivery.Delivery.Files))
            transaction.Reads.Add(Path.Combine(source, file.Path));
        foreach ((Delivery delivery, string target) in deliveries)
        {
            foreach (SavedFile file in delivery.Files) Copy(file, source, target, transaction, cancellation);
            transaction.WriteText(Path.Combine(target, Delivery.ManifestName), DeliveryManifest.Write(delivery));
        }

        transaction.Commit();
        return deliveries;

        string FolderOf(Delivery delivery) => Path.Combine(folder, FormattableString.Invariant($"bits-{delivery.Precision}"));
    }

    /// <summary>Puts deliveries together into a folder that a session can run from; some may be in the folder already.</summary>
    /// <param name="deliveries">Folders that <see cref="Split"/> wrote, lowest precision first.</param>
    /// <param name="folder">Where the files appear: all of them, or none.</param>
    /// <param name="cancellation">Ends the work; nothing is written then.</param>
    /// <returns>Path of the model of the last delivery.</returns>
    /// <exception cref="ModelException">A file is missing, damaged or of another compilation, or cannot be written.</exception>
    public static string Join(IReadOnlyList<string> deliveries, string folder, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(deliveries);
        ArgumentNullException.ThrowIfNull(folder);
        using var transaction = new FileTransaction();
        var written = new Dictionary<string, SavedFile>(StringComparer.Ordinal);
        string model = "";
        foreach (string source in deliveries)
        {
            Delivery delivery = DeliveryManifest.Read(source);
            foreach (SavedFile needed in delivery.Needs) Require(needed, written, folder, source);
            foreach (SavedFile file in delivery.Files)
            {
                transaction.Reads.Add(Path.Combine(source, file.Path));
                Copy(file, source, folder, transaction, cancellation);
                written[file.Path] = file;
                model = Path.Combine(folder, file.Path);
            }
        }

        transaction.Commit();
        return model;
    }

    private static void Require(SavedFile needed, Dictionary<string, SavedFile> written, string folder, string source)
    {
        string path = Path.Combine(folder, needed.Path);
        string? actual = written.TryGetValue(needed.Path, out SavedFile? file) ? file.Sha256
            : File.Exists(path) ? FileHash.Sha256(path)
            : null;
        if (actual != needed.Sha256)
            throw new ModelException(
                $"'{source}' needs '{needed.Path}', which {(actual is null ? "is missing" : "is of another compilation")} in '{folder}':"
                    + " join the deliveries of lower precisions first");
    }

    /// <summary>Copies a file, and compares it with its hash on the way.</summary>
    private static void Copy(SavedFile file, string source, string target, FileTransaction transaction, CancellationToken cancellation)
    {
        string from = Path.Combine(source, file.Path);
        using FileStream input = InputFile.Open(from);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[ChunkBytes];
        bool isModel = Path.GetExtension(file.Path) == ".onnx";
        transaction.Write(Path.Combine(target, file.Path), output =>
        {
            for (int read; (read = InputFile.Read(input, chunk, from)) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                hash.AppendData(chunk, 0, read);
                output.Write(chunk, 0, read);
            }
        }, isModel);
        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != file.Sha256)
            throw new ModelException($"'{from}' is not the file that was split: its content does not have the hash {file.Sha256}");
    }
}
