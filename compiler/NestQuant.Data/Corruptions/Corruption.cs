namespace NestQuant.Data.Corruptions;

/// <summary>
/// One of the common corruptions of pictures of Hendrycks and Dietterich (arXiv 1903.12261), at five severities. The same pixels,
/// severity, seed and sample give the same result, whatever else is corrupted before or beside it.
/// </summary>
public abstract class Corruption
{
    /// <summary>The mildest severity.</summary>
    public const int MinSeverity = 1;

    /// <summary>The harshest severity.</summary>
    public const int MaxSeverity = 5;

    private protected Corruption(string name) => Name = name;

    /// <summary>The benchmark's name, for example <c>gaussian_noise</c>.</summary>
    public string Name { get; }

    /// <summary>Corrupts one picture in place.</summary>
    /// <param name="pixels">[channels, height, width], each value 0 to 1 on entry and on return.</param>
    /// <param name="channels">3 for red, green, blue; 1 for luminance.</param>
    /// <param name="height">Rows, at least 1. Together with the width it determines which release's parameters apply.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="severity"><see cref="MinSeverity"/> to <see cref="MaxSeverity"/>.</param>
    /// <param name="seed">Seed of the whole evaluation.</param>
    /// <param name="sample">Position of the picture in its data set: every sample has its own random numbers.</param>
    /// <exception cref="ArgumentException">The extents are not those of <paramref name="pixels"/>, or not 1 or 3 channels.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such severity.</exception>
    public void Apply(Span<float> pixels, int channels, int height, int width, int severity, long seed = 0, long sample = 0)
    {
        if (channels is not (1 or 3))
            throw new ArgumentException($"{channels} channels: 1 or 3 are possible", nameof(channels));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        if (pixels.Length != (long)channels * height * width)
            throw new ArgumentException($"{pixels.Length} values are not {channels} x {height} x {width}", nameof(pixels));
        ArgumentOutOfRangeException.ThrowIfLessThan(severity, MinSeverity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(severity, MaxSeverity);
        var image = new PixelImage(pixels, channels, height, width);
        Distort(image, severity, new RandomStream(seed, sample, Name, severity));
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = Math.Clamp(image.Values[i], 0, 1);
    }

    /// <summary>Corrupts the picture in place; values may leave 0 to 1, which <see cref="Apply"/> then clips.</summary>
    internal abstract void Distort(PixelImage image, int severity, RandomStream random);
}
