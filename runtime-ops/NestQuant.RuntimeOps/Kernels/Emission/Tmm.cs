namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>A tile register of AMX: up to 16 rows of up to 64 bytes.</summary>
/// <param name="Number">0 to 7.</param>
internal readonly record struct Tmm(int Number);
