using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Portable;

/// <summary>The reference: plain loops that run everywhere, with which every other tier agrees bit for bit.</summary>
internal sealed unsafe class PortableTier : KernelTier
{
    private PortableTier()
    {
    }

    /// <summary>The tier.</summary>
    public static PortableTier Instance { get; } = new();

    /// <inheritdoc/>
    public override string Name => TierNames.Portable;

    /// <inheritdoc/>
    public override int TileRows => 6;

    /// <inheritdoc/>
    public override RowFormat Rows { get; } = new CenteredRows();

    /// <inheritdoc/>
    public override void DecodeBlocks(in LevelOperands operands, int blocks, sbyte* values)
    {
        // In bounds: the caller guarantees the lengths that the loop walks, block by block.
        for (int block = 0; block < blocks; block++)
        {
            BlockValues.Decode(
                operands.Skip((long)block * NestedLayout.BlockRows),
                new Span<sbyte>(values + (long)block * NestedLayout.BlockValues, NestedLayout.BlockValues));
        }
    }

    /// <inheritdoc/>
    public override void SumWeights(sbyte* panel, int groups, int* sums)
    {
        new Span<int>(sums, TileChannels).Clear();
        for (int i = 0; i < groups * TileChannels; i++, panel += 4)
            sums[i % TileChannels] += panel[0] + panel[1] + panel[2] + panel[3];
    }

    /// <inheritdoc/>
    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        for (int row = 0; row < rowCount; row++)
        {
            short* x = (short*)(rows + row * rowStride);
            for (int channel = firstChannel; channel < endChannel; channel++)
            {
                sbyte* w = panel + channel * 4;
                int sum = 0;
                for (int group = 0; group < groups; group++, w += TileChannels * 4)
                    sum += x[group * 4] * w[0] + x[group * 4 + 1] * w[1] + x[group * 4 + 2] * w[2] + x[group * 4 + 3] * w[3];
                tile[row * TileChannels + channel] = sum;
            }
        }
    }

    /// <inheritdoc/>
    public override void DotDepthwise(byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* accumulators) =>
        DotDepthwise(taps, step, columns, pairs, weights, 0, channels, accumulators);

    /// <summary>The channels from <paramref name="firstChannel"/> on, which remain after a vector tier's whole vectors.</summary>
    public static void DotDepthwise(
        byte** taps, nint step, int columns, int pairs, short* weights, int firstChannel, int endChannel, int* accumulators)
    {
        for (int column = 0; column < columns; column++)
        {
            for (int channel = firstChannel; channel < endChannel; channel++)
            {
                int sum = 0;
                for (int tap = 0; tap < 2 * pairs; tap++)
                    sum += taps[tap][column * step + channel] * weights[((tap >> 1) * TileChannels + channel) * 2 + (tap & 1)];
                accumulators[column * TileChannels + channel] = sum;
            }
        }
    }

    /// <inheritdoc/>
    public override void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride)
    {
        for (int row = 0; row < rows; row++)
        {
            long rowSum = epilogue.HasZeroPoint ? rowSums[row] : 0;
            for (int channel = firstChannel; channel < endChannel; channel++)
                epilogue.Write(
                    tile[row * TileChannels + channel] - (long)epilogue.RowCentering[channel], rowSum, channel, y + row * yStride);
        }
    }

    /// <inheritdoc/>
    public override void ExpandPlanes(ExpansionData data, float* x, float* y, long planeStride, int pixels) =>
        PlaneExpansion<Lanes128, Vector128<float>>.Run(data, x, y, planeStride, pixels);

    /// <inheritdoc/>
    public override void ExpandRows(ExpansionData data, float* x, long xStride, float* y, int rows) =>
        RowExpansion<Lanes128, Vector128<float>>.Run(data, x, xStride, y, rows);
}
