namespace NestQuant.Data.Corruptions;

/// <summary>How stored values relate to pixels, and the seed of the corruptions.</summary>
public sealed record CorruptionOptions
{
    /// <summary>
    /// A stored value is <c>(pixel - mean) / deviation</c> with the pixel in 0 to 1: one mean for all channels or one each.
    /// </summary>
    public IReadOnlyList<float> Mean { get; init; } = [0f];

    /// <summary>The divisor of that form: one positive value for all channels or one each.</summary>
    public IReadOnlyList<float> Deviation { get; init; } = [1f];

    /// <summary>Another seed gives other noise.</summary>
    public long Seed { get; init; }
}
