namespace NestQuant.Onnx.Files;

/// <summary>
/// Loads and saves ONNX models. The model file is read as a whole; external data is read tensor by tensor, when it is needed. Files are
/// never changed in place, and nothing else should change a file while a model loaded from it is in use: a data file that becomes shorter
/// is an error, other changes of its content go unnoticed.
/// </summary>
public static class ModelFile
{
    /// <summary>Oldest supported version of ONNX's own operator set.</summary>
    public const int MinOpset = 1;

    /// <summary>Newest supported version of ONNX's own operator set.</summary>
    public const int MaxOpset = 26;

    /// <summary>Newest supported version of the ONNX intermediate representation.</summary>
    public const int MaxIrVersion = 13;

    /// <summary>Loads a model and opens the external data beside it.</summary>
    /// <param name="path">Path of the ONNX file.</param>
    /// <param name="options">What is allowed; null means the defaults.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ModelException">The file, or a file with external data, is missing or is not usable.</exception>
    public static ModelProto Load(string path, LoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        return ModelLoader.FromFile(path, options);
    }

    /// <summary>Loads a model from a stream, which is read to its end.</summary>
    /// <param name="stream">The serialised model.</param>
    /// <param name="externalDataFolder">Folder that external data is read from. When null, asking for external data is an error.</param>
    /// <param name="options">What is allowed; null means the defaults.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ModelException">The content, or a file with external data, is not usable.</exception>
    public static ModelProto Load(Stream stream, string? externalDataFolder = null, LoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return ModelLoader.FromStream(stream, "the stream", DataIn(externalDataFolder, options));
    }

    /// <summary>Loads a model from memory, which must not change while the model is in use.</summary>
    /// <param name="bytes">The serialised model.</param>
    /// <param name="externalDataFolder">Folder that external data is read from. When null, asking for external data is an error.</param>
    /// <param name="options">What is allowed; null means the defaults.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ModelException">The content, or a file with external data, is not usable.</exception>
    public static ModelProto Load(ReadOnlyMemory<byte> bytes, string? externalDataFolder = null, LoadOptions? options = null) =>
        ModelLoader.FromMemory(bytes, "the model in memory", DataIn(externalDataFolder, options));

    /// <summary>
    /// Saves a model with the data files that its tensors need. Files get their final names only when all of them are complete and on disk.
    /// Missing folders are created. The same model and options always give the same bytes. A data file of the model is not replaced unless
    /// the model that it was loaded from is too.
    /// </summary>
    /// <param name="model">The model, which is not changed.</param>
    /// <param name="path">Path of the ONNX file; it may be the one that the model was loaded from.</param>
    /// <param name="options">Where tensor content goes; null means the defaults.</param>
    /// <param name="cancellationToken">Stops the writing; nothing is left behind.</param>
    /// <returns>The files written, data files first.</returns>
    /// <exception cref="ModelException">A file cannot be written, or a tensor's content cannot be read; existing files are as they
    /// were.</exception>
    /// <exception cref="OperationCanceledException">The writing was stopped; existing files are as they were.</exception>
    public static IReadOnlyList<SavedFile> Save(
        ModelProto model, string path, SaveOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ModelSaver.Save([new ModelToSave(model, path, options)], cancellationToken);
    }

    /// <summary>Saves several models as <see cref="Save(ModelProto, string, SaveOptions?, CancellationToken)"/> does one: all of their
    /// files appear, or none. Data files of the same name are written once and shared.</summary>
    /// <param name="models">The models, which are not changed, with distinct paths.</param>
    /// <param name="cancellationToken">Stops the writing; nothing is left behind.</param>
    /// <returns>The files written, data files first.</returns>
    /// <exception cref="ModelException">A file cannot be written, or a tensor's content cannot be read; existing files are as they
    /// were.</exception>
    /// <exception cref="OperationCanceledException">The writing was stopped; existing files are as they were.</exception>
    public static IReadOnlyList<SavedFile> Save(IReadOnlyList<ModelToSave> models, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(models);
        return ModelSaver.Save(models, cancellationToken);
    }

    /// <summary>Serialises a model with everything inside, external data and groups included.</summary>
    /// <param name="model">The model, which is not changed.</param>
    /// <returns>The bytes of a self-contained ONNX file.</returns>
    /// <exception cref="ModelException">The result would exceed 2 GB, or a tensor's content cannot be read.</exception>
    public static byte[] ToBytes(ModelProto model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var stored = ModelSaver.Inline(model);
        var length = ModelCodec.Measure(stored);
        if (length > Array.MaxLength)
            throw new ModelException("The model exceeds 2 GB, the limit of an ONNX file; save it with external data.");

        var bytes = new byte[length];
        ModelCodec.Write(new ArrayOutput(bytes), stored);
        return bytes;
    }

    private static ExternalDataReader? DataIn(string? folder, LoadOptions? options) =>
        folder is null ? null : new ExternalDataReader(folder, path: null, options ?? LoadOptions.Default);

    /// <summary>The part of a model file's name that the names of its group files start with.</summary>
    internal static string Stem(string fileName) => Path.GetFileNameWithoutExtension(fileName);
}
