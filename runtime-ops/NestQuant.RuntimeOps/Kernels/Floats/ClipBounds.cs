namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>Bounds of results, which may be infinite.</summary>
/// <param name="Min">The least result.</param>
/// <param name="Max">The greatest result, at least <paramref name="Min"/>.</param>
internal readonly record struct ClipBounds(float Min, float Max)
{
    /// <summary>No bounds.</summary>
    public static ClipBounds None => new(float.NegativeInfinity, float.PositiveInfinity);
}
