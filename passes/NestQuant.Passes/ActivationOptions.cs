using NestQuant.Passes.Calibration;
using NestQuant.Passes.Guard;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes;

/// <summary>How activations reach nested weights. Without a meaning where nothing is nested.</summary>
public sealed record ActivationOptions
{
    /// <summary>Quantized, and when, or not at all.</summary>
    public ActivationMode Mode { get; init; } = ActivationMode.Dynamic;

    /// <summary>Where the ranges of activations come from; needed for <see cref="ActivationMode.Static"/>.</summary>
    public IActivationRangeSource? Ranges { get; init; }

    /// <summary>What activations stay float for the sake of accuracy; null where none does.</summary>
    public ActivationGuard? Guard { get; init; }
}
