using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.GroupNL;
using NestQuant.RuntimeOps.Packing;
using X86Avx2 = System.Runtime.Intrinsics.X86.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>256-bit kernels for processors with AVX2 and FMA.</summary>
/// <remarks>
/// vpmaddubsw is the fastest multiplication there is, but its 16-bit pair sums saturate (255 * 127 * 2 exceeds 32,767), which would make
/// results depend on the data. <see cref="SafePanel"/> gives it only weights with which it is exact.
/// </remarks>
internal unsafe class Avx2Tier : KernelTier
{
    private const int LeastRowsToPrepare = 3;

    /// <summary>Whether this process can run the tier.</summary>
    public static bool IsSupported => X86Avx2.IsSupported && Fma.IsSupported;

    /// <inheritdoc/>
    public override string Name => TierNames.Avx2;

    /// <inheritdoc/>
    public override int TileRows => DotProduct.TileRows;

    /// <inheritdoc/>
    public override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public override void DecodeBlocks(byte* high, byte* low, int blocks, NestedBits bits, sbyte* values) =>
        BlockDecoder.Decode(high, low, blocks, bits, values);

    /// <inheritdoc/>
    public override void SumWeights(sbyte* panel, int groups, int* sums) => WeightSums.Sum(panel, groups, sums);

    /// <inheritdoc/>
    public override int PreparedBytes(int groups) => SafePanel.Bytes(groups);

    /// <inheritdoc/>
    public override void Prepare(sbyte* panel, int groups, int rows)
    {
        if (rows < LeastRowsToPrepare)
            SafePanel.LeavePlain(panel, groups);
        else
            SafePanel.Prepare(panel, groups);
    }

    /// <inheritdoc/>
    public override void Dot(byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile) =>
        DotProduct.Run(rows, rowStride, rowCount, panel, groups, firstChannel, endChannel, tile);

    /// <inheritdoc/>
    public override void DotDepthwise(byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* sums) =>
        Depthwise.Dot(taps, step, columns, pairs, weights, channels, sums);

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
