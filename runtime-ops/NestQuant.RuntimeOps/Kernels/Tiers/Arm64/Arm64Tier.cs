using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Kernels.Tiers.Portable;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>Base of the arm64 tiers: 128-bit code for everything but the product.</summary>
/// <typeparam name="TNeon">The instructions of every arm64 processor.</typeparam>
/// <remarks>
/// arm64 multiplies signed bytes, but x is unsigned. So the tiers multiply x - 128, which takes one exclusive or on activations in a
/// register, and accumulators start at 128 * Σw instead of 0: <see cref="AccumulatorStarts{TNeon}"/> stores these after the panel. The
/// result is exactly Σ x * w, and rows stay bytes that can be read in place.
/// </remarks>
internal abstract unsafe class Arm64Tier<TNeon> : KernelTier
    where TNeon : struct, INeon
{
    /// <inheritdoc/>
    public sealed override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public sealed override void DecodeBlocks(in LevelOperands operands, int blocks, sbyte* values)
    {
        if (operands.IsPair)
            WidthDispatch<BlockDecoder>.Decode(operands, blocks, values);
        else
            PortableTier.Instance.DecodeBlocks(operands, blocks, values);
    }

    /// <inheritdoc/>
    public sealed override void SumWeights(sbyte* panel, int groups, int* sums) => WeightSums<TNeon>.Sum(panel, groups, sums);

    /// <inheritdoc/>
    public sealed override int PreparedBytes(int groups) => AccumulatorStarts<TNeon>.PreparedBytes(groups);

    /// <inheritdoc/>
    public sealed override void Prepare(sbyte* panel, int groups) => AccumulatorStarts<TNeon>.Prepare(panel, groups);

    /// <inheritdoc/>
    public sealed override void DotDepthwise(
        byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* accumulators) =>
        Depthwise<TNeon>.Dot(taps, step, columns, pairs, weights, channels, accumulators);

    /// <inheritdoc/>
    public sealed override void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride) =>
        TileEpilogue.Store(tile, rows, firstChannel, endChannel, epilogue, rowSums, y, yStride);

    /// <inheritdoc/>
    public sealed override void ExpandPlanes(ExpansionData data, float* x, float* y, long planeStride, int pixels) =>
        PlaneExpansion<Lanes128, Vector128<float>>.Run(data, x, y, planeStride, pixels);

    /// <inheritdoc/>
    public sealed override void ExpandRows(ExpansionData data, float* x, long xStride, float* y, int rows) =>
        RowExpansion<Lanes128, Vector128<float>>.Run(data, x, xStride, y, rows);
}
