using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Calibration;
using NestQuant.Passes.GroupNL.Expansion;

namespace NestQuant.Passes;

/// <summary>What happens to GroupNL blocks, and to convolutions that may become some.</summary>
public sealed record GroupNLOptions
{
    /// <summary>What happens to the blocks of the model.</summary>
    public GroupNLMode Mode { get; init; } = GroupNLMode.Fuse;

    /// <summary>How convolutions are rewritten into GroupNL blocks; null leaves them as they are.</summary>
    public GroupNLExpandOptions? Expansion { get; init; }

    /// <summary>
    /// How the layers that read an expanded convolution are refitted; null leaves that to training. Without <see cref="Expansion"/> it
    /// does nothing.
    /// </summary>
    public GroupNLCalibration? Calibration { get; init; }
}
