using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.GroupNL;

/// <summary>
/// GroupNL's expansion of a whole tensor (arXiv 2506.12335): seed maps, normalised at every pixel, followed by maps generated from them.
/// </summary>
/// <remarks>
/// Pixels are cut into parts that fit a core's private cache; each pixel is computed entirely by one part, so that results are the same bit
/// for bit for any number of threads and any tier (except for NaN payloads).
/// </remarks>
internal static unsafe class GroupNLExpansion
{
    // Floats of a part's input and output together, which fit in the second-level cache.
    private const int PartFloats = 48 * 1024;

    private const int LeastPixels = 64;

    /// <summary>Expands channels-second tensors.</summary>
    /// <param name="tier">The inner loops to use.</param>
    /// <param name="data">The parameters.</param>
    /// <param name="x">Seed maps [batch, Cs, pixels].</param>
    /// <param name="y">Receives [batch, Cs + G, pixels].</param>
    /// <param name="batch">Images.</param>
    /// <param name="pixels">Pixels of an image.</param>
    /// <param name="loop">Runs the parts.</param>
    public static void RunPlanes(KernelTier tier, ExpansionData data, float* x, float* y, long batch, long pixels, ParallelLoop loop)
    {
        if (batch == 0 || pixels == 0)
            return;
        int block = BlockPixels(data, pixels);
        long blocks = (pixels + block - 1) / block;
        loop.Run(checked((int)(batch * blocks)), part =>
        {
            // In bounds: image < batch, and the block ends at or before the image's last pixel.
            (long image, long index) = Math.DivRem(part, blocks);
            long first = index * block;
            tier.ExpandPlanes(
                data,
                x + image * data.Seeds * pixels + first,
                y + image * data.Maps * pixels + first,
                pixels,
                (int)Math.Min(block, pixels - first));
        });
    }

    /// <summary>Expands channels-last tensors.</summary>
    /// <param name="tier">The inner loops to use.</param>
    /// <param name="data">The parameters.</param>
    /// <param name="x">Seed maps [pixels, Cs].</param>
    /// <param name="y">Receives [pixels, Cs + G].</param>
    /// <param name="pixels">Pixels of all images.</param>
    /// <param name="loop">Runs the parts.</param>
    public static void RunRows(KernelTier tier, ExpansionData data, float* x, float* y, long pixels, ParallelLoop loop)
    {
        if (pixels == 0)
            return;
        int block = BlockPixels(data, pixels);
        loop.Run(checked((int)((pixels + block - 1) / block)), part =>
        {
            // In bounds: the block ends at or before the last pixel.
            long first = (long)part * block;
            int rows = (int)Math.Min(block, pixels - first);
            tier.ExpandRows(data, x + first * data.Seeds, data.Seeds, y + first * data.Maps, rows);
        });
    }

    /// <summary>Pixels of a part: as many as fit, with parts of nearly equal size.</summary>
    private static int BlockPixels(ExpansionData data, long pixels)
    {
        int fitting = Math.Clamp(
            PartFloats / (data.Seeds + data.Maps) / LeastPixels * LeastPixels, LeastPixels, ExpansionData.MaxPlanePixels);
        long parts = (pixels + fitting - 1) / fitting;
        long even = (pixels + parts - 1) / parts;
        return (int)((even + LeastPixels - 1) / LeastPixels * LeastPixels);
    }
}
