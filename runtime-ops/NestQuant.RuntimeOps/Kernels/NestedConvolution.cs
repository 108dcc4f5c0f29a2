using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Convolutions.Depthwise;
using NestQuant.RuntimeOps.Kernels.Convolutions.Gathered;
using NestQuant.RuntimeOps.Kernels.Convolutions.ImplicitGemm;
using NestQuant.RuntimeOps.Kernels.Convolutions.Streamed;
using NestQuant.RuntimeOps.Kernels.Convolutions.Strips;
using NestQuant.RuntimeOps.Kernels.Convolutions.Winograd;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;


namespace NestQuant.RuntimeOps.Kernels;

/// <summary>
/// An integer NHWC convolution with nested weights and a float or requantizing epilogue; a matrix product is its 1x1 case.
/// </summary>
internal static class NestedConvolution
{
    /// <summary>Computes the whole output.</summary>
    /// <param name="tier">The inner loops to use.</param>
    /// <param name="geometry">Dimensions; the reduction length and the output channels are those of the weights.</param>
    /// <param name="weights">The nested weights.</param>
    /// <param name="data">Activations, factors and output, of the lengths that the geometry gives.</param>
    /// <param name="loop">Runs the parts.</param>
    /// <param name="epilogue">Finishes the output's rows; without one they are dense.</param>
    public static void Run(
        KernelTier tier,
        ConvolutionGeometry geometry,
        in PanelSource weights,
        in ConvolutionData data,
        ParallelLoop loop,
        RowEpilogue? epilogue = null)
    {
        ChannelView view = weights.Layout.View;
        if (view.WeightsPerChannel != geometry.ReductionLength || view.OutputChannels != geometry.OutputChannels)
            throw new ArgumentException("the weights are not those of the convolution");
        if (geometry.Rows == 0)
            return;
        if (DepthwiseConvolution.Applies(geometry, data))
        {
            if (tier.Strips is { } kernel && StripConvolution.Applies(geometry, data))
                StripConvolution.Run(tier, kernel, geometry, weights, data, loop, epilogue);
            else
                DepthwiseConvolution.Run(tier, geometry, weights, data, loop, epilogue);
            return;
        }

        if (epilogue is null && StreamedProduct.Applies(tier, geometry, weights, data))
        {
            StreamedProduct.Run(tier, geometry, weights, data, loop);
            return;
        }

        if (ImplicitGemmConvolution.TryRun(tier, geometry, weights, data, loop, epilogue))
            return;
        if (tier.PrefersWinograd && WinogradConvolution.Applies(geometry, data))
            WinogradConvolution.Run(tier, geometry, weights, data, loop, epilogue);
        else
            GatheredConvolution.Run(tier, geometry, weights, data, loop, epilogue);
    }
}
