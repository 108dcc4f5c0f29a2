using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.GroupNL;

/// <summary>Expands the rows of a convolution in place, each as soon as its seed maps are computed.</summary>
/// <param name="tier">The inner loops to use.</param>
/// <param name="data">The parameters; their seed maps are the convolution's output channels.</param>
/// <param name="y">The output, [rows, Cs + G].</param>
internal sealed unsafe class ExpansionEpilogue(KernelTier tier, ExpansionData data, float* y) : RowEpilogue
{
    private readonly float* _y = y;

    /// <inheritdoc/>
    public override long RowStride => data.Maps;

    /// <inheritdoc/>
    public override void Apply(int firstRow, int rows)
    {
        // In bounds: the rows are the convolution's own, and the output has Maps floats for each.
        float* row = _y + firstRow * RowStride;
        tier.ExpandRows(data, row, RowStride, row, rows);
    }
}
