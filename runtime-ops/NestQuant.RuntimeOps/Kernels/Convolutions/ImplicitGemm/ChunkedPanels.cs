using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Convolutions.ImplicitGemm;

/// <summary>
/// Converts panels to the form of a <see cref="ChunkPlan"/>: the sums of the channels' weights, int[32], then <c>[chunk][group][channel
/// 32][4]</c>.
/// </summary>
/// <param name="tier">Decodes and sums.</param>
/// <param name="product">Multiplies the panels.</param>
/// <param name="weights">The weights, their groups bundled or not.</param>
/// <param name="plan">The chunks.</param>
/// <param name="hasSums">Whether the sums will be read.</param>
internal sealed unsafe class ChunkedPanels(
    KernelTier tier, TileProduct product, BundledWeights weights, ChunkPlan plan, bool hasSums) : IPanelPreparation
{
    private const int GroupBytes = 4 * NestedLayout.PanelChannels;
    private const int SumBytes = sizeof(int) * NestedLayout.PanelChannels;

    /// <inheritdoc/>
    public int Bytes => checked(SumBytes + plan.PanelGroups * GroupBytes);

    /// <inheritdoc/>
    public object Form => product;

    /// <summary>The sums of a prepared panel's weights, int[32].</summary>
    public static int* Sums(byte* prepared) => (int*)prepared;

    /// <summary>The weights of a prepared panel.</summary>
    public static sbyte* Weights(byte* prepared) => (sbyte*)prepared + SumBytes;

    /// <inheritdoc/>
    public void Prepare(int panel, byte* prepared)
    {
        // In bounds: a natural panel has plan.PanelGroups groups.
        sbyte* target = Weights(prepared);
        if (plan.IsNatural)
        {
            weights.Decode(tier, panel, target);
        }
        else
        {
            using Scratch decoded = new((long)weights.Groups * GroupBytes);
            weights.Decode(tier, panel, (sbyte*)decoded.Address);
            plan.Arrange((sbyte*)decoded.Address, target);
        }

        if (hasSums)
            tier.SumWeights(target, plan.PanelGroups, Sums(prepared));
    }
}
