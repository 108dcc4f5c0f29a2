namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>How float results become uint8: divided by the scale, clamped, rounded half to even, offset by the zero point.</summary>
/// <param name="Scale">The output's scale, finite and positive.</param>
/// <param name="ZeroPoint">The output's zero point, 0 to 255.</param>
/// <param name="ClampMin">Least quantized result, 0 to <paramref name="ClampMax"/>.</param>
/// <param name="ClampMax">Greatest quantized result, at most 255.</param>
internal readonly record struct Requantization(float Scale, int ZeroPoint, int ClampMin = 0, int ClampMax = 255);
