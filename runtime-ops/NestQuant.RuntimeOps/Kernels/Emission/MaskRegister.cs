namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>A mask register of AVX-512.</summary>
/// <param name="Number">1 to 7; 0 means "no mask" in the encoding.</param>
internal readonly record struct MaskRegister(int Number);
