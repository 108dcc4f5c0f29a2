using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>Samples along the first axis of one or more arrays.</summary>
internal sealed class ArrayDataset : Dataset
{
    private readonly Func<ArrayFiles> _open;
    private readonly long[]? _labels;

    /// <summary>Checks a data set.</summary>
    /// <param name="name">What it is, for messages.</param>
    /// <param name="open">Opens its arrays, for every reading anew.</param>
    /// <param name="options">Where its labels are.</param>
    public ArrayDataset(string name, Func<ArrayFiles> open, DatasetOptions options)
        : base(name)
    {
        _open = open;
        using ArrayFiles arrays = open();
        Count = CountSamples(arrays);
        _labels = LabelFile.ReadOptional(options.Labels) ?? ReadLabels(arrays);
        LabelFile.CheckCount(name, Count, _labels);
    }

    public override long Count { get; }

    public override bool HasLabels => _labels is not null;

    public override IEnumerable<DatasetBatch> ReadBatches(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return Read(size);
    }

    private IEnumerable<DatasetBatch> Read(int size)
    {
        using ArrayFiles arrays = _open();
        arrays.VerifyMemory(arrays.Inputs.Sum(input => input.Reader.BytesAtOnce(size)));
        for (long first = 0; first < Count; first += size)
        {
            // A single input may have any name (NumPy's own is arr_0); several are distinguished by their names.
            bool isAlone = arrays.Inputs.Count == 1;
            NamedArray[] inputs = [.. arrays.Inputs.Select(input => new NamedArray(isAlone ? null : input.Name, Rows(input.Reader, size)))];
            yield return new DatasetBatch(inputs, LabelFile.Slice(_labels, first, inputs[0].Array.Shape[0]));
        }
    }

    private NpyArray Rows(NpyReader reader, int count) =>
        reader.ReadRows(count) ?? throw new ModelException($"{Path}: the file has changed while it was read");

    private static long[]? ReadLabels(ArrayFiles arrays)
    {
        if (arrays.Labels is not { } reader)
            return null;
        arrays.VerifyMemory(reader.BytesAtOnce(reader.Rows));
        return LabelFile.FromArray(reader.ReadToEnd(), $"{arrays.Name} (labels)");
    }

    private long CountSamples(ArrayFiles arrays)
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
        if (arrays.Inputs.All(static input => input.Reader.BytesAtOnce(1) == 0) && count > arrays.StoredBytes)
            throw new ModelException($"{Path}: {count} samples without elements are not a data set");
        return count is > 0 ? count.Value : throw new ModelException($"{Path}: no samples");
    }
}
