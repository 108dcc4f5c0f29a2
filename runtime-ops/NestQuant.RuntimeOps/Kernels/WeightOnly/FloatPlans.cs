using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>The convolution or product of floats of one node; every way to compute it gives the same bits.</summary>
/// <param name="tier">The inner loops.</param>
/// <param name="threads">Threads of the session, 1 or more.</param>
/// <param name="layout">The layout of the weight.</param>
/// <param name="bounds">Bounds of the results.</param>
/// <param name="isConvolution">Whether the input is [N, C, H, W], and not rows of K values.</param>
internal sealed unsafe class FloatPlans(KernelTier tier, int threads, NestedLayout layout, ClipBounds bounds, bool isConvolution)
{
    private readonly IdlePlans<FloatPlan, ConvolutionGeometry> _idle = new();

    /// <summary>Computes the whole output of one run; several may run at once.</summary>
    /// <param name="geometry">The dimensions.</param>
    /// <param name="weights">The nested weight.</param>
    /// <param name="factors">The factors of its channels.</param>
    /// <param name="x">The input.</param>
    /// <param name="addend">What is added to the output, in its layout; null for nothing.</param>
    /// <param name="y">Receives the output.</param>
    /// <param name="loop">Runs the parts.</param>
    /// <returns>The name of the implementation; null where there is nothing to compute.</returns>
    public string? Run(
        ConvolutionGeometry geometry, in PanelSource weights, in ChannelFactors factors, float* x, float* addend, float* y,
        ParallelLoop loop)
    {
        if (geometry.Rows == 0)
            return null;
        FloatPlan plan = _idle.Take(geometry) ?? Make(geometry);
        plan.Run(weights, factors, x, addend, y, loop);
        _idle.GiveBack(plan);
        return plan.Name;
    }

    private FloatPlan Make(ConvolutionGeometry geometry)
    {
        if (!isConvolution)
            return new FloatProduct(tier, threads, geometry, layout, bounds);
        if (FloatDepthwise.Suits(geometry))
            return new FloatDepthwise(tier, threads, geometry, bounds);
        return FloatRowConvolution.Suits(geometry)
            ? new FloatRowConvolution(tier, threads, geometry, layout, bounds)
            : new FloatConvolution(tier, threads, geometry, layout, bounds);
    }
}
