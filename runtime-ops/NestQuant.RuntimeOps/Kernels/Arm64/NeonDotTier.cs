using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.GroupNL;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Arm64;

/// <summary>128-bit products of bytes, for arm64 processors with the dot product extension.</summary>
/// <typeparam name="TNeon">The processor's instructions.</typeparam>
/// <remarks>
/// SDOT multiplies signed bytes, and x is unsigned. So the product is that of x - 128, one exclusive or for 16 activations when they are in a
/// register, and its sums start at 128 * Σw instead of 0: <see cref="SignedDotProduct{TNeon}.Prepare"/> lays those behind the panel. What comes out is
/// Σ x * w, exactly, and rows stay bytes that can be read where they lie.
/// </remarks>
internal sealed unsafe class NeonDotTier<TNeon> : KernelTier
    where TNeon : struct, INeon
{
    /// <inheritdoc/>
    public override string Name => TierNames.NeonDot;

    /// <inheritdoc/>
    public override int TileRows => SignedDotProduct<TNeon>.TileRows;

    /// <inheritdoc/>
    public override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public override void DecodeBlocks(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values) =>
        WidthDispatch<BlockDecoder>.Decode(high, low, blocks, bits, values);

    /// <inheritdoc/>
    public override void SumWeights(sbyte* panel, int groups, int* sums) => WeightSums<TNeon>.Sum(panel, groups, sums);

    /// <inheritdoc/>
    public override int PreparedBytes(int groups) => SignedDotProduct<TNeon>.PreparedBytes(groups);

    /// <inheritdoc/>
    public override void Prepare(sbyte* panel, int groups) => SignedDotProduct<TNeon>.Prepare(panel, groups);

    /// <inheritdoc/>
    public override void Dot(byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        // One row costs less by itself than as a tile.
        if (rowCount == 1)
        {
            SignedDotProduct<TNeon>.OneRow(rows, panel, groups, tile);
            return;
        }

        int firstStrip = firstChannel / SignedDotProduct<TNeon>.StripChannels * SignedDotProduct<TNeon>.StripChannels;
        for (int channel = firstStrip; channel < endChannel; channel += SignedDotProduct<TNeon>.StripChannels)
            SignedDotProduct<TNeon>.Tile(rows, rowStride, rowCount, panel, groups, channel, tile + channel);
    }

    /// <inheritdoc/>
    public override void DotDepthwise(byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* sums) =>
        Depthwise<TNeon>.Dot(taps, step, columns, pairs, weights, channels, sums);

    /// <inheritdoc/>
    public override void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride) =>
        TileEpilogue.Store(tile, rows, firstChannel, endChannel, epilogue, rowSums, y, yStride);

    /// <inheritdoc/>
    public override void ExpandPlanes(ExpansionData data, float* x, float* y, long planeStride, int pixels) =>
        PlaneExpansion<Lanes128, Vector128<float>>.Run(data, x, y, planeStride, pixels);

    /// <inheritdoc/>
    public override void ExpandRows(ExpansionData data, float* x, long xStride, float* y, int rows) =>
        RowExpansion<Lanes128, Vector128<float>>.Run(data, x, xStride, y, rows);
}
