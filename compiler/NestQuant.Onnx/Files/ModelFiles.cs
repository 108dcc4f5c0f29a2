namespace NestQuant.Onnx.Files;

/// <summary>The files that a model consists of.</summary>
internal static class ModelFiles
{
    /// <summary>The file of a loaded model, then its data files in ordinal order.</summary>
    public static IReadOnlyList<SavedFile> Of(string path, ModelProto model)
    {
        string folder = Path.GetDirectoryName(path) ?? "", fullFolder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        IEnumerable<SavedFile> data = TensorWalk.DataFiles(model)
            .Select(file => new SavedFile(Path.Combine(folder, Path.GetRelativePath(fullFolder, file.Path)), file.Status.Length))
            .OrderBy(file => file.Path, StringComparer.Ordinal);
        return [new SavedFile(path, Length(path)), .. data];
    }

    /// <summary>Bytes of an existing file; symbolic links are followed.</summary>
    public static long Length(string path) => FileStatus.Of(path)?.Length ?? throw new ModelException($"{path}: no such file");
}
