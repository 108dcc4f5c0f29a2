namespace NestQuant.Compiler.Calibration;

/// <summary>The real values that the quantized form of an activation has to represent.</summary>
/// <param name="Min">Smallest value, finite.</param>
/// <param name="Max">Largest value, finite and at least <paramref name="Min"/>.</param>
public readonly record struct TensorRange(float Min, float Max);
