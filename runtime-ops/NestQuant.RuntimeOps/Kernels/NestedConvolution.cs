using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// The integer NHWC convolution of one node, with nested weights and a float or requantizing epilogue; a matrix product is its 1x1 case.
/// </summary>
/// <remarks>
/// acc[m] = sum over k of (x - x_zp) * (w_int - w_zp[m]), exact, where padded positions contribute 0;
/// y = (float)acc * (x_scale * w_scale[m]) + bias[m], each float operation rounded on its own; for a uint8 output both factors are divided
/// by y_scale, and y is clamped, rounded half to even and offset by y's zero point. Results do not depend on the implementation, the tier
/// or the scheduling: every output element is computed by one part, in exact integers.
/// </remarks>
/// <param name="tier">The inner loops to use.</param>
/// <param name="threads">Threads of the session, 1 or more.</param>
/// <param name="forced">The implementation to use; null for the first that applies.</param>
internal sealed class NestedConvolution(KernelTier tier, int threads, Implementation? forced = null)
{
    private readonly IdlePlans<ConvolutionPlan, ConvolutionProblem> _idle = new();

    /// <summary>Computes the whole output of one run; several may run at once.</summary>
    /// <param name="geometry">Dimensions; the reduction length and the output channels are those of the weights.</param>
    /// <param name="weights">The nested weights.</param>
    /// <param name="data">Activations, factors and output, of the lengths that the geometry gives.</param>
    /// <param name="loop">Runs the parts.</param>
    /// <param name="epilogue">Finishes the output's rows; without one they are dense.</param>
    /// <returns>The plan, where the run had to make one; else null.</returns>
    /// <exception cref="PlatformNotSupportedException">The forced implementation does not apply.</exception>
    public ConvolutionPlan? Run(
        ConvolutionGeometry geometry, in PanelSource weights, in ConvolutionData data, ParallelLoop loop, RowEpilogue? epilogue = null)
    {
        ChannelView view = weights.Layout.View;
        if (view.WeightsPerChannel != geometry.ReductionLength || view.OutputChannels != geometry.OutputChannels)
            throw new ArgumentException("the weights are not those of the convolution");
        if (geometry.Rows == 0)
            return null;
        ConvolutionProblem problem = new(tier, geometry, weights, data, epilogue?.RowStride ?? 0, threads);
        ConvolutionPlan? known = _idle.Take(problem);
        ConvolutionPlan plan = known ?? ImplementationTable.Plan(problem, forced);
        plan.Run(data, loop, epilogue);
        _idle.GiveBack(plan);
        return known is null ? plan : null;
    }
}
