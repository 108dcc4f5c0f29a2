using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>Chooses how a convolution of floats is computed; every way gives the same bits.</summary>
internal static unsafe class FloatConvolutions
{
    /// <summary>Computes the whole output.</summary>
    /// <param name="tier">The inner loops.</param>
    /// <param name="threads">Threads of the session, 1 or more.</param>
    /// <param name="geometry">The dimensions.</param>
    /// <param name="weights">The nested weight.</param>
    /// <param name="factors">The factors of its channels.</param>
    /// <param name="bounds">Bounds of the results.</param>
    /// <param name="x">The input, [N, C, H, W].</param>
    /// <param name="y">Receives the output, [N, M, H', W'].</param>
    /// <param name="loop">Runs the parts.</param>
    /// <returns>The name of the implementation.</returns>
    public static string Run(
        KernelTier tier,
        int threads,
        ConvolutionGeometry geometry,
        in PanelSource weights,
        in ChannelFactors factors,
        ClipBounds bounds,
        float* x,
        float* y,
        ParallelLoop loop)
    {
        bool asRows = FloatRowConvolution.Suits(geometry);
        if (geometry.Rows != 0 && asRows)
            FloatRowConvolution.Run(tier, threads, geometry, weights, factors, bounds, x, y, loop);
        else if (geometry.Rows != 0)
            new FloatConvolution(tier, threads, geometry, weights, factors, bounds).Run(x, y, loop);
        return asRows ? FloatRowConvolution.Name : FloatConvolution.Name;
    }
}
