using NestQuant.Onnx;

namespace NestQuant.Data.Corruptions;

/// <summary>
/// A data set of pictures, each corrupted as it is read. Labels stay; expected outputs, which hold for clean pictures, do not. The
/// result does not depend on the size of the batches or on the number of threads.
/// </summary>
public sealed class CorruptedDataset : Dataset
{
    // 8-bit rounding and resampling may move a pixel this far beyond 0 or 1; more means that mean and deviation are wrong.
    private const float Slack = 0.01f;

    private readonly Dataset _source;
    private readonly Corruption _corruption;
    private readonly int _severity;
    private readonly CorruptionOptions _options;

    /// <summary>Wraps a data set with a single input, [N, C, H, W] with 1 or 3 channels or [N, H, W], of numbers.</summary>
    /// <param name="source">The clean pictures.</param>
    /// <param name="corruption">The corruption of each picture.</param>
    /// <param name="severity">1 to 5.</param>
    /// <param name="options">How stored values relate to pixels; null for values in 0 to 1 and seed 0.</param>
    public CorruptedDataset(Dataset source, Corruption corruption, int severity, CorruptionOptions? options = null)
        : base(source?.Path ?? throw new ArgumentNullException(nameof(source)))
    {
        ArgumentNullException.ThrowIfNull(corruption);
        ArgumentOutOfRangeException.ThrowIfLessThan(severity, Corruption.MinSeverity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(severity, Corruption.MaxSeverity);
        (_source, _corruption, _severity, _options) = (source, corruption, severity, options ?? new CorruptionOptions());
    }

    /// <inheritdoc/>
    public override long Count => _source.Count;

    /// <inheritdoc/>
    public override bool FreeBatches => _source.FreeBatches;

    /// <inheritdoc/>
    public override bool HasLabels => _source.HasLabels;

    /// <inheritdoc/>
    /// <exception cref="ModelException">The data is damaged or not pictures, or its pixels do not lie in 0 to 1.</exception>
    public override IEnumerable<DatasetBatch> ReadBatches(int size)
    {
        long first = 0;
        foreach (DatasetBatch batch in _source.ReadBatches(size))
        {
            if (batch.Inputs.Count != 1)
                throw new ModelException($"{Path}: {batch.Inputs.Count} inputs: corruptions need data with the pictures alone");
            NamedArray input = batch.Inputs[0];
            yield return new DatasetBatch([input with { Array = Corrupt(input.Array, first) }], batch.Labels);
            first += batch.Samples;
        }
    }

    private NpyArray Corrupt(NpyArray array, long first)
    {
        (int channels, int height, int width) = Extents(array);
        float[] values = array.ToFloats();
        int length = channels * height * width;
        (float Mean, float Deviation)[] scales = Scales(channels);
        for (int i = 0; i < values.Length; i++)
        {
            (float mean, float deviation) = scales[i / (height * width) % channels];
            float pixel = (values[i] * deviation) + mean;
            if (!(pixel is >= -Slack and <= 1 + Slack))
                throw new ModelException(
                    $"{Path}: the value {values[i]} is a pixel of {pixel}, not 0 to 1: mean and standard deviation must say how the "
                        + "data was "
                        + "normalised");
            values[i] = Math.Clamp(pixel, 0, 1);
        }

        Parallel.For(0, values.Length / length, sample =>
            _corruption.Apply(values.AsSpan(sample * length, length), channels, height, width, _severity, _options.Seed, first + sample));
        for (int i = 0; i < values.Length; i++)
        {
            (float mean, float deviation) = scales[i / (height * width) % channels];
            values[i] = (values[i] - mean) / deviation;
        }

        return NpyArray.FromFloats(array.Shape, values);
    }

    private (int Channels, int Height, int Width) Extents(NpyArray array)
    {
        IReadOnlyList<long> shape = array.Shape;
        bool pictures = shape.Count is 3 or 4 && shape.All(extent => extent > 0) && (shape.Count == 3 || shape[1] is 1 or 3);
        if (!pictures)
            throw new ModelException(
                $"{Path}: shape [{string.Join(", ", shape)}] is not that of pictures: corruptions need [N, C, H, W] with 1 or 3 "
                    + "channels, or [N, H, W]");
        return (shape.Count == 3 ? 1 : (int)shape[1], (int)shape[^2], (int)shape[^1]);
    }

    private (float Mean, float Deviation)[] Scales(int channels)
    {
        foreach (var (values, name) in new[] { (_options.Mean, "mean"), (_options.Deviation, "std") })
        {
            if (values.Count != 1 && values.Count != channels)
                throw new ModelException($"{Path}: {values.Count} values of {name} do not fit {channels} channels");
        }

        if (!_options.Deviation.All(value => value > 0))
            throw new ModelException("std must be positive");
        return
        [
            .. Enumerable.Range(0, channels).Select(channel =>
                (_options.Mean[_options.Mean.Count == 1 ? 0 : channel], _options.Deviation[_options.Deviation.Count == 1 ? 0 : channel])),
        ];
    }
}
