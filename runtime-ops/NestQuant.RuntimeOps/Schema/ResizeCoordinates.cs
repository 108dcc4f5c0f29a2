namespace NestQuant.RuntimeOps.Schema;

/// <summary>
/// How the positions of a resized axis lie in the source: values of <see cref="AttributeNames.Coordinates"/>, as in ONNX.
/// </summary>
internal static class ResizeCoordinates
{
    /// <summary>The outer edges of the first and the last elements coincide: <c>(i + 0.5) / scale - 0.5</c>.</summary>
    public const string HalfPixel = "half_pixel";

    /// <summary>The same, but 0 where the result has one position.</summary>
    public const string PyTorchHalfPixel = "pytorch_half_pixel";

    /// <summary>The first positions coincide: <c>i / scale</c>.</summary>
    public const string Asymmetric = "asymmetric";

    /// <summary>The first and the last positions coincide.</summary>
    public const string AlignCorners = "align_corners";

    /// <summary>The greatest extent of an axis: up to it, positions are exact in float32.</summary>
    public const int MostExtent = 1 << 24;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [HalfPixel, PyTorchHalfPixel, Asymmetric, AlignCorners];
}
