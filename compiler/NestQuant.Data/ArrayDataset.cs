using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Data;

/// <summary>
/// Samples along the first axis of one or more <c>.npy</c> arrays. In a <c>.npz</c> archive every array is the input of its name, except
/// one called <c>labels</c>.
/// </summary>
internal sealed class ArrayDataset : Dataset
{
    private const string LabelsName = "labels";

    /// <summary>
    /// Bytes that the rows read at once may take besides twice the file: a deflated array can be a thousand times as large as its file.
    /// </summary>
    private const long InflatedBytes = 128L << 20;

    private readonly Func<OpenArrays> _open;
    private readonly long[]? _labels;

    private ArrayDataset(string path, Func<OpenArrays> open, DatasetOptions options)
        : base(path)
    {
        _open = open;
        using OpenArrays arrays = open();
        Count = CountSamples(arrays);
        _labels = LabelFile.ReadOptional(options.Labels) ?? ReadLabels(arrays);
        LabelFile.CheckCount(path, Count, _labels);
    }

    public override long Count { get; }

    public override bool HasLabels => _labels is not null;

    public static ArrayDataset FromNpy(string path, DatasetOptions options) => new(path, () => OpenArrays.FromNpy(path), options);

    public static ArrayDataset FromNpz(string path, DatasetOptions options) => new(path, () => OpenArrays.FromNpz(path), options);

    public override IEnumerable<DatasetBatch> ReadBatches(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return Read(size);
    }

    private IEnumerable<DatasetBatch> Read(int size)
    {
        using OpenArrays arrays = _open();
        VerifyMemory(arrays.Inputs.Sum(input => input.Reader.BytesAtOnce(size)));
        for (long first = 0; first < Count; first += size)
        {
            NamedArray[] inputs = [.. arrays.Inputs.Select(input => new NamedArray(input.Name, Rows(input.Reader, size)))];
            yield return new DatasetBatch(inputs, LabelFile.Slice(_labels, first, inputs[0].Array.Shape[0]));
        }
    }

    private NpyArray Rows(NpyReader reader, int count) =>
        reader.ReadRows(count) ?? throw new ModelException($"{Path}: the file has changed while it was read");

    private long[]? ReadLabels(OpenArrays arrays)
    {
        if (arrays.Labels is not { } reader)
            return null;
        VerifyMemory(reader.BytesAtOnce(reader.Rows));
        return LabelFile.FromArray(reader.ReadToEnd(), $"{Path} ({LabelsName})");
    }

    private void VerifyMemory(long bytes)
    {
        if (bytes <= InflatedBytes + (2 * InputFile.Length(Path)))
            return;
        throw new ModelException(
            $"{Path}: one batch takes {bytes} bytes of memory, far more than the file: use smaller batches, C order, or arrays "
                + "that are not deflated");
    }

    private long CountSamples(OpenArrays arrays)
    {
        long? count = null;
        foreach (var (name, reader) in arrays.Inputs)
        {
            if (reader.Shape.Count == 0)
                throw new ModelException($"{Path}: a scalar is not a data set: the first axis must count the samples");
            if (count is not null && count != reader.Rows)
                throw new ModelException($"{Path}: '{name}' has {reader.Rows} samples, the arrays before it {count}");
            count = reader.Rows;
        }

        // Samples without elements take no space, so a file can claim any number of them.
        if (arrays.Inputs.All(static input => input.Reader.BytesAtOnce(1) == 0) && count > InputFile.Length(Path))
            throw new ModelException($"{Path}: {count} samples without elements are not a data set");
        return count is > 0 ? count.Value : throw new ModelException($"{Path}: no samples");
    }

    /// <summary>All arrays of a data set, opened together and read in turns.</summary>
    private sealed record OpenArrays(
        IReadOnlyList<(string? Name, NpyReader Reader)> Inputs, NpyReader? Labels, NpzFile? Archive) : IDisposable
    {
        public static OpenArrays FromNpy(string path) => new([(null, NpyReader.Open(path))], Labels: null, Archive: null);

        public static OpenArrays FromNpz(string path)
        {
            NpzFile archive = NpzFile.Open(path);
            try
            {
                string[] inputs = [.. archive.Names.Where(static name => name != LabelsName)];
                if (inputs.Length == 0)
                    throw new ModelException($"{path}: the archive holds labels but no inputs");
                // A single input may have any name (NumPy's own is arr_0); several are distinguished by their names.
                return new OpenArrays(
                    [.. inputs.Select(name => (inputs.Length == 1 ? null : name, archive.OpenArray(name)))],
                    inputs.Length < archive.Names.Count ? archive.OpenArray(LabelsName) : null,
                    archive);
            }
            catch
            {
                archive.Dispose();
                throw;
            }
        }

        public void Dispose()
        {
            foreach (var (_, reader) in Inputs)
                reader.Dispose();
            Labels?.Dispose();
            Archive?.Dispose();
        }
    }
}
