using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>
/// Samples for evaluation and calibration, read in order and a batch at a time: a data set need not fit into memory.
/// </summary>
public abstract class Dataset
{
    private protected Dataset(string path) => Path = path;

    /// <summary>Path of the data set.</summary>
    public string Path { get; }

    /// <summary>Number of samples.</summary>
    public abstract long Count { get; }

    /// <summary>True when samples may be grouped freely; false when the data fixes the batches (ONNX test data).</summary>
    public virtual bool FreeBatches => true;

    /// <summary>True when batches carry labels.</summary>
    public abstract bool HasLabels { get; }

    /// <summary>
    /// Opens a data set: a <c>.npy</c> or <c>.npz</c> file, a folder of <c>.npy</c> files, one for each input, a folder of ONNX
    /// <c>test_data_set_*</c>, or a folder of images.
    /// </summary>
    /// <param name="path">File or folder.</param>
    /// <param name="options">How to read it; null for the defaults.</param>
    /// <exception cref="ModelException">There is no such data, it is damaged, or its labels do not fit it.</exception>
    public static Dataset Open(string path, DatasetOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new DatasetOptions();
        if (Directory.Exists(path) && TestDataFolder.IsTestData(path))
            return new TestDataFolder(path, options);
        if (Directory.Exists(path) && !ArrayFiles.AreIn(path))
            return new ImageFolder(path, options);
        bool isKnown = Directory.Exists(path) || System.IO.Path.GetExtension(path).ToUpperInvariant() is ".NPY" or ".NPZ";
        if (isKnown && System.IO.Path.Exists(path))
            return new ArrayDataset(path, () => ArrayFiles.Open(path), options);
        throw new ModelException(isKnown || !File.Exists(path)
            ? $"{path}: no such file or folder"
            : $"{path}: unknown kind of data: give a .npy or .npz file, a folder of .npy files, of test_data_set_*, or of images");
    }

    /// <summary>Opens a data set of a file for each input, or of one source as <see cref="Open(string, DatasetOptions?)"/> does.</summary>
    /// <param name="sources"><c>NAME=FILE.npy</c> for each input, or one file or folder.</param>
    /// <param name="options">How to read it; null for the defaults.</param>
    /// <exception cref="ModelException">There is no such data, it is damaged, or its labels do not fit it.</exception>
    public static Dataset Open(IReadOnlyList<string> sources, DatasetOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sources);
        NamedFile[] files = [.. sources.Select(NamedFile.Parse)];
        if (files is [{ Name: null, Path: var path }])
            return Open(path, options);
        if (files.Length == 0 || Array.Exists(files, static file => file.Name is null))
            throw new ModelException($"'{string.Join(' ', sources)}': several files are a data set when each has a name: NAME=FILE.npy");
        string name = string.Join(' ', sources);
        return new ArrayDataset(name, () => ArrayFiles.Open(name, files), options ?? new DatasetOptions());
    }

    /// <summary>Reads the samples from first to last; may be called again.</summary>
    /// <param name="size">Samples per batch, at least 1; the last batch may be smaller. Ignored when the data fixes the batches.</param>
    /// <exception cref="ModelException">The data is damaged.</exception>
    public abstract IEnumerable<DatasetBatch> ReadBatches(int size);
}
