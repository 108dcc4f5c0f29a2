using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>How real numbers become integers, in the full-bit stage and in the split (NestQuant; SQuant, arXiv 2202.07471).</summary>
public enum WeightRounding
{
    /// <summary>Data-free flipping that keeps the error sum of every kernel and channel within one half.</summary>
    Adaptive,

    /// <summary>Round to nearest, ties to even.</summary>
    Nearest,

    /// <summary>Adaptive for the full-bit stage and a plain bit shift for the high part: the paper's ablation.</summary>
    Floor,
}

/// <summary>Where the zero of a weight lies, per output channel.</summary>
public enum WeightScheme
{
    /// <summary>Zero point 0, scale from the largest magnitude.</summary>
    Symmetric,

    /// <summary>Scale and zero point from minimum and maximum, as in the paper.</summary>
    Affine,
}

/// <summary>How activations reach the nested operators.</summary>
public enum ActivationMode
{
    /// <summary>Float activations: weights are dequantized in front of the original operator.</summary>
    None,

    /// <summary>Quantized at run time, per tensor, by DynamicQuantizeLinear.</summary>
    Dynamic,

    /// <summary>Quantized with ranges that are known when the model is compiled; what has none, at run time.</summary>
    Static,
}

/// <summary>How weights are nested.</summary>
public sealed record NestingOptions
{
    /// <summary>Bit widths n:h.</summary>
    public required NestedBits Bits { get; init; }

    /// <summary>Rounding of both stages.</summary>
    public WeightRounding Rounding { get; init; } = WeightRounding.Adaptive;

    /// <summary>Rounding of the split where it is not that of the full-bit stage; null for the same.</summary>
    public WeightRounding? HighRounding { get; init; }

    /// <summary>Symmetric or affine weights.</summary>
    public WeightScheme Scheme { get; init; } = WeightScheme.Symmetric;

    /// <summary>How activations reach the nested operators.</summary>
    public ActivationMode Activations { get; init; } = ActivationMode.Dynamic;

    /// <summary>Patterns of node names to leave alone (<c>*</c>, <c>?</c>).</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];
}
