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
    /// Opens a data set: a <c>.npy</c> or <c>.npz</c> file, a folder of ONNX <c>test_data_set_*</c>, or a folder of images.
    /// </summary>
    /// <param name="path">File or folder.</param>
    /// <param name="options">How to read it; null for the defaults.</param>
    /// <exception cref="ModelException">There is no such data, it is damaged, or its labels do not fit it.</exception>
    public static Dataset Open(string path, DatasetOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new DatasetOptions();
        if (Directory.Exists(path))
            return TestDataFolder.IsTestData(path) ? new TestDataFolder(path, options) : new ImageFolder(path, options);
        return System.IO.Path.GetExtension(path).ToUpperInvariant() switch
        {
            _ when !File.Exists(path) => throw new ModelException($"{path}: no such file or folder"),
            ".NPY" => ArrayDataset.FromNpy(path, options),
            ".NPZ" => ArrayDataset.FromNpz(path, options),
            _ =>
                throw new ModelException(
                    $"{path}: unknown kind of data: give a .npy or .npz file, a folder of test_data_set_*, or a folder of images"),
        };
    }

    /// <summary>Reads the samples from first to last; may be called again.</summary>
    /// <param name="size">Samples per batch, at least 1; the last batch may be smaller. Ignored when the data fixes the batches.</param>
    /// <exception cref="ModelException">The data is damaged.</exception>
    public abstract IEnumerable<DatasetBatch> ReadBatches(int size);
}
