using NestQuant.Onnx;

namespace NestQuant.Data;

/// <summary>How a data set is read.</summary>
public sealed record DatasetOptions
{
    /// <summary>How pictures become tensors; used for folders of images only.</summary>
    public ImageOptions Image { get; init; } = new();

    /// <summary>
    /// File of integer labels, one per sample in the data set's order: <c>.npy</c> or text with one label per line. Null: the labels that
    /// are part of the data, if any.
    /// </summary>
    public string? Labels { get; init; }
}

/// <summary>How a picture becomes a float tensor [channels, height, width].</summary>
public sealed record ImageOptions
{
    /// <summary>Height in pixels, at least 1; pictures are scaled to it.</summary>
    public int Height { get; init; } = 224;

    /// <summary>Width in pixels, at least 1; pictures are scaled to it.</summary>
    public int Width { get; init; } = 224;

    /// <summary>3 for red, green, blue; 1 for luminance.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>Subtracted from pixel values in [0, 1]: one value for all channels or one each.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0f];

    /// <summary>Divides the difference: one positive value for all channels or one each.</summary>
    public IReadOnlyList<float> Deviation { get; init; } = [1f];

    /// <summary>Fails where mean and deviation do not fit a number of channels.</summary>
    /// <exception cref="ModelException">They do not.</exception>
    internal void CheckNormalisation(int channels)
    {
        foreach (var (values, name) in new[] { (Mean, "mean"), (Deviation, "std") })
        {
            if (values.Count != 1 && values.Count != channels)
                throw new ModelException($"{values.Count} values of {name} do not fit {channels} channels");
        }

        if (!Deviation.All(value => value > 0))
            throw new ModelException("std must be positive");
    }

    /// <summary>Normalises the pixels of a channel.</summary>
    internal void Normalise(Span<float> pixels, int channel)
    {
        float mean = Mean[Mean.Count == 1 ? 0 : channel], deviation = Deviation[Deviation.Count == 1 ? 0 : channel];
        foreach (ref float pixel in pixels)
            pixel = (pixel - mean) / deviation;
    }
}
