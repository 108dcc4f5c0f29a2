namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>The steps from a normalised seed map to a generated one.</summary>
internal enum MapStage
{
    /// <summary>A normalised seed map n.</summary>
    Normalised,

    /// <summary>n - shift.</summary>
    Shifted,

    /// <summary>(n - shift) * period.</summary>
    Scaled,

    /// <summary>u^2, where u is the map before.</summary>
    Squared,

    /// <summary>-u^2.</summary>
    NegatedSquare,

    /// <summary>1 + u^2.</summary>
    OnePlusSquare,

    /// <summary>|u|^k.</summary>
    Magnitude,

    /// <summary>A function of u, see <see cref="MapOrigin.Function"/>.</summary>
    Generated,
}

/// <summary>The origin of one map (channel) of a value inside a GroupNL block.</summary>
/// <param name="Seed">The seed map that it comes from, 0-based.</param>
/// <param name="Stage">What has been done to that map.</param>
/// <param name="Shift">What was subtracted; 0 before <see cref="MapStage.Shifted"/>.</param>
/// <param name="Period">The factor; 1 before <see cref="MapStage.Scaled"/>.</param>
/// <param name="Power">k of <see cref="MapStage.Magnitude"/>; 0 in other stages.</param>
/// <param name="Function">The function that generated it; the sine in earlier stages.</param>
internal readonly record struct MapOrigin(
    int Seed, MapStage Stage = MapStage.Normalised, float Shift = 0, float Period = 1, int Power = 0, GroupNLFunction Function = default);
