namespace NestQuant.Onnx.Files;

/// <summary>Whether the data files of a model are those that it was saved with.</summary>
/// <param name="Model">The model, with the content of the tensors whose files could be read.</param>
/// <param name="Files">Its data files, in ordinal order of their names.</param>
/// <param name="IsListed">Whether the model has a <see cref="DataFileList"/>; without one, content cannot be compared.</param>
internal sealed record DataFileVerification(ModelProto Model, IReadOnlyList<DataFileState> Files, bool IsListed)
{
    /// <summary>Reads a model, whatever the state of its data files, and every data file that it names.</summary>
    /// <param name="path">Path of the ONNX file.</param>
    /// <param name="options">What is allowed; null means the defaults.</param>
    /// <returns>What was found.</returns>
    /// <exception cref="ModelException">The model itself, or its list of files, is not usable.</exception>
    public static DataFileVerification Of(string path, LoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var model = ModelLoader.FromFile(path, options, attachData: false);
        var listed = DataFileList.Of(model);
        var reader = ExternalDataReader.Beside(path, options);
        var files = TensorWalk.Tensors(model).Where(tensor => tensor.IsExternal)
            .GroupBy(tensor => tensor.ExternalLocation!, StringComparer.Ordinal)
            .Select(tensors => Check(tensors.Key, tensors, listed, reader))
            .ToList();
        var unused = (listed ?? []).ExceptBy(files.ConvertAll(file => file.Location), entry => entry.Location);
        files.AddRange(
            unused.Select(entry => new DataFileState(entry.Location, "the model was saved with it, but does not refer to it", false))
                .ToList());
        return new DataFileVerification(model, [.. files.OrderBy(file => file.Location, StringComparer.Ordinal)], listed is not null);
    }

    private static DataFileState Check(
        string location, IEnumerable<TensorProto> tensors, IReadOnlyList<DataFileEntry>? listed, ExternalDataReader reader)
    {
        string? unreadable = null;
        foreach (var tensor in tensors)
            unreadable ??= WhyNotAttached(tensor, reader);
        var entry = listed?.FirstOrDefault(file => file.Location == location);
        // Only files that the reader has accepted are opened: their names come from the model.
        var problem = entry is not null && reader.FileAt(location) is { } file ? Compare(file, entry) : null;
        if (entry is null && listed is not null)
            problem = "is not among the files that the model was saved with";
        return new DataFileState(location, problem ?? unreadable, unreadable is null);
    }

    private static string? WhyNotAttached(TensorProto tensor, ExternalDataReader reader)
    {
        try
        {
            reader.Attach(tensor);
            return null;
        }
        catch (ModelException e)
        {
            return e.InnerException is FileNotFoundException or DirectoryNotFoundException ? "is missing" : e.Message;
        }
    }

    private static string? Compare(SourceFile file, DataFileEntry entry)
    {
        if (file.Status.Length != entry.Bytes)
            return $"has {file.Status.Length} bytes, and had {entry.Bytes} when the model was saved";
        try
        {
            var sha256 = ContentHash.Of(file);
            return sha256 == entry.Sha256
                ? null
                : $"has other content than when the model was saved: SHA-256 {sha256} instead of {entry.Sha256}";
        }
        catch (ModelException e)
        {
            return $"cannot be read: {e.Message}";
        }
    }
}

/// <summary>One data file of a model.</summary>
/// <param name="Location">Its name, as the model's tensors refer to it.</param>
/// <param name="Problem">What is wrong with it, as the end of a sentence; null when no problem is known.</param>
/// <param name="IsReadable">Whether all tensors that lie in it could be attached.</param>
internal sealed record DataFileState(string Location, string? Problem, bool IsReadable);
