using NestQuant.Onnx.Files.Transactions;

namespace NestQuant.Onnx.Files;

/// <summary>Decides where each tensor of the models goes, then writes all files of all models.</summary>
internal sealed class ModelSaver
{
    /// <summary>Largest serialised message; Protocol Buffers' own limit.</summary>
    public const long MaxMessageBytes = int.MaxValue;

    /// <summary>Smaller tensors stay inside the model file when others move out, since shape inference reads them.</summary>
    private const int MinExternalBytes = 1024;

    private readonly Dictionary<string, DataFile> _dataFiles = new(StringComparer.Ordinal);

    /// <summary>Saves models in a transaction of their own.</summary>
    public static IReadOnlyList<SavedFile> Save(IReadOnlyList<ModelToSave> models, CancellationToken cancellationToken)
    {
        using var transaction = new FileTransaction();
        foreach (var model in models)
            transaction.Reads.AddData(model.Model, exceptOf: model.Path);
        var files = Write(models, transaction, cancellationToken);
        transaction.Commit();
        return files;
    }

    /// <summary>Writes models as part of a transaction.</summary>
    /// <returns>The files, data files first.</returns>
    public static IReadOnlyList<SavedFile> Write(
        IReadOnlyList<ModelToSave> models, FileTransaction transaction, CancellationToken cancellationToken)
    {
        var saver = new ModelSaver();
        var stored = models.Select(m => (m.Path, Model: saver.Plan(m))).ToList();
        var files = new List<SavedFile>();
        foreach (var file in saver._dataFiles.Values)
            files.Add(transaction.Write(file.Path, stream => file.WriteTo(stream, cancellationToken)));
        foreach (var (path, model) in stored)
        {
            files.Add(transaction.Write(path, isModel: true, content: stream =>
            {
                saver.ListDataFiles(model, path);
                var output = new BufferedOutput(stream, cancellationToken);
                ModelCodec.Write(output, model);
                output.Flush();
            }));
        }

        cancellationToken.ThrowIfCancellationRequested();
        return files;
    }

    /// <summary>The model as one message with everything inside.</summary>
    /// <exception cref="ModelException">It would exceed 2 GB, which is known before its content is read.</exception>
    public static ModelProto Inline(ModelProto model)
    {
        if (TensorWalk.Tensors(model).Sum(t => (double)(t.ExternalContent?.Length ?? 0)) > MaxMessageBytes)
            throw new ModelException("The model exceeds 2 GB, the limit of an ONNX file; save it with external data.");
        var stored = new TensorReplacement(t => t.IsExternal ? t.StoredInline() : t).Of(model);
        DataFileList.Set(stored, []);
        return stored;
    }

    private ModelProto Plan(ModelToSave save)
    {
        ArgumentNullException.ThrowIfNull(save);
        var mode = save.Options?.ExternalData ?? ExternalDataMode.Auto;
        var stored = Variant(save, mode);
        if (mode == ExternalDataMode.Auto && ModelCodec.Measure(stored) > MaxMessageBytes)
            stored = Variant(save, ExternalDataMode.Always);
        if (ModelCodec.Measure(stored) > MaxMessageBytes)
            throw new ModelException(
                $"Cannot write '{save.Path}': it would exceed 2 GB, the limit of an ONNX file; store the weights as external data.");
        return stored;
    }

    private ModelProto Variant(ModelToSave save, ExternalDataMode mode)
    {
        if (mode == ExternalDataMode.Never)
            return Inline(save.Model);

        var fileName = Path.GetFileName(save.Path);
        var folder = Path.GetDirectoryName(save.Path) ?? "";
        var stem = save.Options?.ExternalStem ?? ModelFile.Stem(fileName);
        var stored = new TensorReplacement(tensor => Place(tensor, mode, folder, fileName, stem)).Of(save.Model);
        ListDataFiles(stored, save.Path); // hashes are not known yet, but count towards the message's size
        return stored;
    }

    private void ListDataFiles(ModelProto stored, string path)
    {
        var folder = Path.GetDirectoryName(path) ?? "";
        var locations = TensorWalk.Tensors(stored).Select(tensor => tensor.ExternalLocation).ToHashSet(StringComparer.Ordinal);
        DataFileList.Set(stored, locations.OfType<string>().Select(location => _dataFiles[Path.Combine(folder, location)].Listing));
    }

    private TensorProto Place(TensorProto tensor, ExternalDataMode mode, string folder, string fileName, string stem)
    {
        var location = tensor.ExternalGroup is { } group
            ? $"{stem}.{group}.bin"
            : tensor.IsExternal || (mode == ExternalDataMode.Always && IsLarge(tensor)) ? $"{fileName}.data" : null;
        if (location is null)
            return tensor;
        if (location.AsSpan().ContainsAny('/', '\\'))
            throw new ModelException(
                $"Tensor '{tensor.Name}' cannot be stored in '{location}': the name of a data file cannot contain a folder.");

        var path = Path.Combine(folder, location);
        if (!_dataFiles.TryGetValue(path, out var file))
            _dataFiles.Add(path, file = new DataFile(path));
        var (offset, length) = file.Add(tensor);
        return tensor.StoredExternally(location, offset, length);
    }

    private static bool IsLarge(TensorProto tensor) =>
        tensor.DataType.BitsPerElement() > 0 && tensor.ByteCount >= MinExternalBytes;
}
