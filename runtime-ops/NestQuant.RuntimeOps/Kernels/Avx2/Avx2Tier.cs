using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.GroupNL;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>256-bit kernels for processors with AVX2 and FMA.</summary>
/// <remarks>
/// Products are summed by vpmaddwd on 16-bit values, never by vpmaddubsw, whose 16-bit pair sums saturate (255 * 127 * 2 exceeds
/// 32,767) and would make results depend on the data.
/// </remarks>
internal unsafe class Avx2Tier : KernelTier
{
    /// <summary>Whether this process can run the tier.</summary>
    public static bool IsSupported => X86Avx2.IsSupported && Fma.IsSupported;

    /// <inheritdoc/>
    public override string Name => TierNames.Avx2;

    /// <inheritdoc/>
    public override int TileRows => DotProduct.TileRows;

    /// <inheritdoc/>
    public override RowFormat Rows { get; } = new Avx2CenteredRows();

    /// <inheritdoc/>
    public override void DecodeBlocks(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values) =>
        BlockDecoder.Decode(high, low, blocks, bits, values);

    /// <inheritdoc/>
    public override void SumWeights(sbyte* panel, int groups, int* sums) => WeightSums.Sum(panel, groups, sums);

    /// <inheritdoc/>
    public override void Dot(byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        // One or two rows cost less one by one than as a tile of six.
        if (rowCount <= 2)
        {
            for (int row = 0; row < rowCount; row++)
                DotProduct.OneRow((short*)(rows + row * rowStride), panel, groups, tile + row * TileChannels);
            return;
        }

        int firstStrip = firstChannel / DotProduct.StripChannels * DotProduct.StripChannels;
        for (int channel = firstStrip; channel < endChannel; channel += DotProduct.StripChannels)
            DotProduct.SixRows(rows, rowStride, rowCount, panel + channel * 4, groups, tile + channel);
    }

    /// <inheritdoc/>
    public override void DotDepthwise(byte** taps, int pairs, short* weights, int zeroPoint, int channels, int* sums) =>
        Depthwise.Dot(taps, pairs, weights, zeroPoint, channels, sums);

    /// <inheritdoc/>
    public override void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride) =>
        TileEpilogue.Store(tile, rows, firstChannel, endChannel, epilogue, rowSums, y, yStride);

    /// <inheritdoc/>
    public override void ExpandPlanes(ExpansionData data, float* x, float* y, long planeStride, int pixels) =>
        PlaneExpansion<Lanes256, Vector256<float>>.Run(data, x, y, planeStride, pixels);

    /// <inheritdoc/>
    public override void ExpandRows(ExpansionData data, float* x, long xStride, float* y, int rows) =>
        RowExpansion<Lanes256, Vector256<float>>.Run(data, x, xStride, y, rows);
}
