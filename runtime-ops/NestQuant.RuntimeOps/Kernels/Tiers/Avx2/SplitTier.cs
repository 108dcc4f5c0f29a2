namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>The part of the AVX2 tier for weights of 7 and 8 bits: products of split panels, exact for any weights.</summary>
internal sealed unsafe class SplitTier : X64Tier
{
    /// <inheritdoc/>
    public override string Name => TierNames.Avx2;

    /// <inheritdoc/>
    public override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public override int TileRows => SplitProduct.TileRows;

    /// <inheritdoc/>
    public override int PreparedBytes(int groups) => SplitPanel.Bytes(groups);

    /// <inheritdoc/>
    public override void Prepare(sbyte* panel, int groups) => SplitPanel.Prepare(panel, groups);

    /// <inheritdoc/>
    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile) =>
        SplitProduct.Run(rows, rowStride, rowCount, panel, groups, firstChannel, endChannel, tile);
}
