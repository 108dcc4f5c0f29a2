using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>How a node is computed, for logs and tools.</summary>
/// <param name="Tier">The inner loops.</param>
/// <param name="Implementation">The name of the implementation.</param>
/// <param name="Geometry">The dimensions.</param>
/// <param name="Level">Bits of the weights.</param>
internal sealed record PlanNote(KernelTier Tier, string Implementation, ConvolutionGeometry Geometry, int Level);
