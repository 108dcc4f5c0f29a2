namespace NestQuant.Data.Corruptions;

/// <summary>A picture while it is corrupted: planes of floats, 0 to 1 at first.</summary>
internal sealed class PixelImage(ReadOnlySpan<float> values, int channels, int height, int width)
{
    /// <summary>[channels, height, width].</summary>
    public float[] Values { get; } = values.ToArray();

    public int Channels => channels;

    public int Height => height;

    public int Width => width;

    /// <summary>Pixels of one channel.</summary>
    public int Area => height * width;

    /// <summary>One channel, [height, width].</summary>
    public Span<float> Plane(int channel) => Values.AsSpan(channel * Area, Area);
}
