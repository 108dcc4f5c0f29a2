using NestQuant.Passes.Calibration;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Calibration;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes;

/// <summary>Options of a whole compilation; the defaults are those of the command line.</summary>
public sealed record CompileOptions
{
    /// <summary>Bit widths n:h of the nested weights; null leaves all weights as they are.</summary>
    public NestedBits? Nest { get; init; }

    /// <summary>How weights are rounded, in both stages.</summary>
    public WeightRounding Rounding { get; init; } = WeightRounding.Adaptive;

    /// <summary>Symmetric or affine weights.</summary>
    public WeightScheme Weights { get; init; } = WeightScheme.Symmetric;

    /// <summary>How activations are quantized.</summary>
    public ActivationMode Activations { get; init; } = ActivationMode.Dynamic;

    /// <summary>
    /// Where the ranges of activations come from; needed for <see cref="ActivationMode.Static"/>, and without a meaning otherwise.
    /// </summary>
    public IActivationRangeSource? Ranges { get; init; }

    /// <summary>What happens to GroupNL blocks.</summary>
    public GroupNLMode GroupNL { get; init; } = GroupNLMode.Fuse;

    /// <summary>How convolutions are rewritten into GroupNL blocks; null leaves them as they are.</summary>
    public GroupNLExpandOptions? Expand { get; init; }

    /// <summary>
    /// How the layers that read an expanded convolution are refitted; null leaves that to training. Without <see cref="Expand"/> it does
    /// nothing.
    /// </summary>
    public GroupNLCalibration? ExpandCalibration { get; init; }

    /// <summary>
    /// Patterns of node names to leave alone; <c>*</c> stands for any run of characters and <c>?</c> for one. A pattern that
    /// matches no node is an error.
    /// </summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>SHA-256 of the source file in lower-case hexadecimal, for the provenance; null when the source is not a file.</summary>
    public string? SourceSha256 { get; init; }
}
