using NestQuant.Passes.Calibration;

namespace NestQuant.Passes.Integer.ActivationQuantization;

/// <summary>What is quantized, and with which ranges.</summary>
public sealed record ActivationQuantizationOptions
{
    /// <summary>Where the ranges come from. Asked once, and only when there is something to quantize.</summary>
    public required IActivationRangeSource Ranges { get; init; }

    /// <summary>Patterns of names of the Conv, ConvTranspose, Gemm and MatMul nodes to leave in float (<c>*</c>, <c>?</c>).</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];
}
