using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>
/// Smooth random images in the place of data: noise of several sizes, from 2 x 2 values up to one per pixel, each enlarged bilinearly, and
/// a coarse part that all channels share, about zero mean and unit variance together. Like photographs, and unlike white noise, they have
/// most of their variance at low frequencies, and channels that agree. They depend on the seed alone.
/// </summary>
public sealed class SyntheticImages : Dataset
{
    /// <summary>Images that are enough for the rounding of weights.</summary>
    public const int DefaultCount = 64;

    private const int GreySize = 4;
    private const float ColourShare = 0.6f, GreyShare = 0.9f;

    /// <summary>Mean and deviation of the pixels of images that are to be normalised.</summary>
    private const float PixelMean = 0.5f, PixelDeviation = 0.25f;

    private readonly int _count;
    private readonly long _seed;
    private readonly ImageOptions? _normalisation;
    private readonly bool _isChannelsLast;
    private readonly int _channels, _height, _width;

    /// <summary>Describes the images for a model.</summary>
    /// <param name="inputs">The inputs of the model: one float tensor [N, C, H, W] or [N, H, W, C] with 1 to 4 channels.</param>
    /// <param name="size">Height and width; null for what the model says.</param>
    /// <param name="normalisation">
    /// How pictures are normalised for the model, from which only mean and deviation are taken: noise becomes pixels in [0, 1] first. Null
    /// for the noise itself.
    /// </param>
    /// <param name="count">Number of images, at least 1.</param>
    /// <param name="seed">Other images for another seed.</param>
    /// <exception cref="ModelException">The model does not take an image of known size.</exception>
    public SyntheticImages(
        IReadOnlyList<ModelInput> inputs, (int Height, int Width)? size = null, ImageOptions? normalisation = null,
        int count = DefaultCount, long seed = 0)
        : base("synthetic images")
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (inputs is not [{ Type: NpyType.Float32, Shape: [_, var second, var third, var fourth] }])
            throw new ModelException(
                "the model does not take one float image [N, C, H, W] or [N, H, W, C], so no images can be made for it: give data");
        _isChannelsLast = second is < 1 or > 4 && fourth is >= 1 and <= 4;
        (long channels, long height, long width) = _isChannelsLast ? (fourth, second, third) : (second, third, fourth);
        if (channels is < 1 or > 4)
            throw new ModelException(
                $"input '{inputs[0].Name}' has no axis of 1 to 4 channels, so it is no image, and none can be made for it: give data");
        (height, width) = (Extent(height, size?.Height), Extent(width, size?.Width));
        if (height is < 1 or > short.MaxValue || width is < 1 or > short.MaxValue)
            throw new ModelException($"input '{inputs[0].Name}' leaves the size of its images open, or it is too large: give a size");
        normalisation?.CheckNormalisation((int)channels);
        (_channels, _height, _width) = ((int)channels, (int)height, (int)width);
        _count = Math.Max(count, inputs[0].FixedBatch ?? 1);
        _normalisation = normalisation;
        _seed = seed;

        static long Extent(long declared, int? wanted) => declared > 0 ? declared : wanted ?? 0;
    }

    /// <inheritdoc/>
    public override long Count => _count;

    /// <inheritdoc/>
    public override bool HasLabels => false;

    /// <inheritdoc/>
    public override IEnumerable<DatasetBatch> ReadBatches(int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        return Read(size);
    }

    private IEnumerable<DatasetBatch> Read(int size)
    {
        int length = checked(_channels * _height * _width);
        for (int first = 0; first < _count; first += size)
        {
            int count = Math.Min(size, _count - first);
            var values = new float[checked(count * length)];
            for (int i = 0; i < count; i++) Fill(first + i, values.AsSpan(i * length, length));
            long[] shape = _isChannelsLast ? [count, _height, _width, _channels] : [count, _channels, _height, _width];
            yield return new DatasetBatch([new NamedArray(null, NpyArray.FromFloats(shape, values))], Labels: null);
        }
    }

    private void Fill(int image, Span<float> target)
    {
        var random = new RandomStream(_seed, image, "synthetic", 0);
        var sizes = new List<int>();
        for (int size = 2; size <= Math.Min(_height, _width) || size == 2; size *= 2) sizes.Add(size);
        float[] grey = Enlarged(random, GreySize), plane = new float[grey.Length];
        float share = ColourShare / MathF.Sqrt(sizes.Count);
        for (int channel = 0; channel < _channels; channel++)
        {
            for (int i = 0; i < plane.Length; i++) plane[i] = GreyShare * grey[i];
            foreach (int size in sizes)
            {
                float[] noise = Enlarged(random, size);
                for (int i = 0; i < plane.Length; i++) plane[i] += share * noise[i];
            }

            Normalise(plane, channel);
            for (int i = 0; i < plane.Length; i++)
                target[_isChannelsLast ? (i * _channels) + channel : (channel * plane.Length) + i] = plane[i];
        }
    }

    private float[] Enlarged(RandomStream random, int size)
    {
        var noise = new float[size * size];
        for (int i = 0; i < noise.Length; i++) noise[i] = (float)random.Normal();
        var plane = new float[_height * _width];
        BilinearResize.Resize(
            (y, line) => noise.AsSpan(y * size, size).CopyTo(line), size, size, plane, _height, _width);
        return plane;
    }

    private void Normalise(float[] plane, int channel)
    {
        if (_normalisation is null) return;
        foreach (ref float value in plane.AsSpan())
            value = Math.Clamp(PixelMean + (PixelDeviation * value), 0, 1);
        _normalisation.Normalise(plane, channel);
    }
}
