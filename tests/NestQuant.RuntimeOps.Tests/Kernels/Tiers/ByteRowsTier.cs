using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Tests.Kernels.Tiers;

/// <summary>
/// The plainest tier that multiplies unsigned by signed bytes, with a tile of its own size: what is left to the drivers of such tiers is
/// tested on any processor.
/// </summary>
internal unsafe class ByteRowsTier : KernelTier
{
    public override string Name => "byte rows";

    public override int TileRows => 4;

    public override RowFormat Rows => RowFormat.Bytes;

    public override KernelTier Streaming => this;

    public override void DecodeBlocks(in LevelOperands operands, int blocks, sbyte* values) =>
        TierSelection.Portable.DecodeBlocks(operands, blocks, values);

    public override void SumWeights(sbyte* panel, int groups, int* sums) => TierSelection.Portable.SumWeights(panel, groups, sums);

    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        for (int row = 0; row < rowCount; row++)
        {
            for (int channel = firstChannel; channel < endChannel; channel++)
            {
                int sum = 0;
                for (int k = 0; k < 4 * groups; k++)
                    sum += rows[row * rowStride + k] * panel[(k / 4 * TileChannels + channel) * 4 + k % 4];
                tile[row * TileChannels + channel] = sum;
            }
        }
    }

    public override void DotDepthwise(byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* sums) =>
        TierSelection.Portable.DotDepthwise(taps, step, columns, pairs, weights, channels, sums);

    public override void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride) =>
        TierSelection.Portable.Store(tile, rows, firstChannel, endChannel, epilogue, rowSums, y, yStride);

    public override void ExpandPlanes(ExpansionData data, float* x, float* y, long planeStride, int pixels) =>
        TierSelection.Portable.ExpandPlanes(data, x, y, planeStride, pixels);

    public override void ExpandRows(ExpansionData data, float* x, long xStride, float* y, int rows) =>
        TierSelection.Portable.ExpandRows(data, x, xStride, y, rows);
}
