using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.GroupNL;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Arm64;

/// <summary>What the tiers of arm64 share: 128-bit code for everything but the product.</summary>
/// <typeparam name="TNeon">The instructions of every arm64 processor.</typeparam>
/// <remarks>
/// Their products are of signed bytes, and x is unsigned. So they multiply x - 128, one exclusive or when the activations are in a
/// register, and sums start at 128 * Σw instead of 0: <see cref="SumStarts{TNeon}"/> keeps those behind the panel. What comes out is Σ x *
/// w, exactly, and rows stay bytes that can be read where they lie.
/// </remarks>
internal abstract unsafe class Arm64Tier<TNeon> : KernelTier
    where TNeon : struct, INeon
{
    /// <inheritdoc/>
    public sealed override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public sealed override void DecodeBlocks(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values) =>
        WidthDispatch<BlockDecoder>.Decode(high, low, blocks, bits, values);

    /// <inheritdoc/>
    public sealed override void SumWeights(sbyte* panel, int groups, int* sums) => WeightSums<TNeon>.Sum(panel, groups, sums);

    /// <inheritdoc/>
    public sealed override int PreparedBytes(int groups) => SumStarts<TNeon>.PreparedBytes(groups);

    /// <inheritdoc/>
    public sealed override void Prepare(sbyte* panel, int groups) => SumStarts<TNeon>.Prepare(panel, groups);

    /// <inheritdoc/>
    public sealed override void DotDepthwise(byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* sums) =>
        Depthwise<TNeon>.Dot(taps, step, columns, pairs, weights, channels, sums);

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
