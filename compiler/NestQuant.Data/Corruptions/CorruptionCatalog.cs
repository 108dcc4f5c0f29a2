namespace NestQuant.Data.Corruptions;

/// <summary>The corruptions that exist.</summary>
public static class CorruptionCatalog
{
    /// <summary>All corruptions, in the order of the benchmark: noise, blur, weather, digital.</summary>
    public static IReadOnlyList<Corruption> All { get; } =
    [
        new GaussianNoise(),
        new ShotNoise(),
        new ImpulseNoise(),
        new SpeckleNoise(),
        new DefocusBlur(),
        new GlassBlur(),
        new MotionBlur(),
        new ZoomBlur(),
        new GaussianBlur(),
        new Snow(),
        new Fog(),
        new Brightness(),
        new Contrast(),
        new Saturate(),
        new Pixelate(),
        new JpegCompression(),
    ];

    /// <summary>The corruption of a name; null when there is none.</summary>
    public static Corruption? Find(string name) => All.FirstOrDefault(corruption => corruption.Name == name);
}
