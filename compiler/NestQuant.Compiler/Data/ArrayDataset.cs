using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Data;

/// <summary>
/// Samples in one or more <c>.npy</c> arrays whose first axis counts them. In a <c>.npz</c> archive every array is the input of
/// its name, except one called <c>labels</c>.
/// </summary>
internal sealed class ArrayDataset : Dataset
{
    private const string LabelsName = "labels";

    private readonly IReadOnlyList<(string? Name, Func<NpyReader> Open)> _arrays;
    private readonly long[]? _labels;

    private ArrayDataset(string path, IReadOnlyList<(string? Name, Func<NpyReader> Open)> arrays, long[]? labels)
        : base(path)
    {
        _arrays = arrays;
        Count = CountSamples(path, arrays);
        _labels = labels;
        LabelFile.CheckCount(path, Count, labels);
    }

    public override long Count { get; }

    public override bool HasLabels => _labels is not null;

    public static ArrayDataset FromNpy(string path, DatasetOptions options) =>
        new(path, [(null, () => NpyReader.Open(path))], LabelFile.ReadOptional(options.Labels));

    public static ArrayDataset FromNpz(string path, DatasetOptions options)
    {
        NpzFile archive = NpzFile.Open(path);
        long[]? labels = LabelFile.ReadOptional(options.Labels);
        if (labels is null && archive.Names.Contains(LabelsName, StringComparer.Ordinal))
        {
            using NpyReader reader = archive.OpenArray(LabelsName);
            labels = LabelFile.FromArray(reader.ReadToEnd(), $"{path} ({LabelsName})");
        }

        string[] inputs = [.. archive.Names.Where(name => name != LabelsName)];
        if (inputs.Length == 0)
            throw new ModelException($"{path}: the archive holds labels but no inputs");
        // A single input may have any name (NumPy's own is arr_0); several are told apart by theirs.
        return new(path, [.. inputs.Select(name => (inputs.Length == 1 ? null : name, (Func<NpyReader>)(() => archive.OpenArray(name))))], labels);
    }

    public override IEnumerable<DatasetBatch> ReadBatches(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return Read(size);
    }

    private IEnumerable<DatasetBatch> Read(int size)
    {
        var readers = new List<NpyReader>();
        try
        {
            foreach (var (_, open) in _arrays)
                readers.Add(open());
            for (long first = 0; first < Count; first += size)
            {
                var inputs = new NamedArray[readers.Count];
                for (int i = 0; i < inputs.Length; i++)
                {
                    NpyArray rows = readers[i].ReadRows(size) ?? throw new ModelException($"{Path}: the file has changed while it was read");
                    inputs[i] = new NamedArray(_arrays[i].Name, rows);
                }

                yield return new DatasetBatch(inputs, LabelFile.Slice(_labels, first, inputs[0].Array.Shape[0]));
            }
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    private static long CountSamples(string path, IReadOnlyList<(string? Name, Func<NpyReader> Open)> arrays)
    {
        long? count = null;
        foreach (var (name, open) in arrays)
        {
            using NpyReader reader = open();
            if (reader.Shape.Count == 0)
                throw new ModelException($"{path}: a scalar is no data set: the first axis counts the samples");
            if (count is not null && count != reader.Rows)
                throw new ModelException($"{path}: '{name}' has {reader.Rows} samples, the arrays before it {count}");
            count = reader.Rows;
        }

        return count is > 0 ? count.Value : throw new ModelException($"{path}: no samples");
    }
}
