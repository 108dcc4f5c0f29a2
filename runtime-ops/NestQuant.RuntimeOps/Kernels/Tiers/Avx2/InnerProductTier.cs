namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>
/// The part of the tier <see cref="TierNames.Avx2SingleMultiplier"/> for weights of 7 and 8 bits: half as many multiplications, exact for
/// any weights.
/// </summary>
internal sealed unsafe class InnerProductTier : X64Tier
{
    /// <inheritdoc/>
    public override string Name => TierNames.Avx2SingleMultiplier;

    /// <inheritdoc/>
    public override RowFormat Rows { get; } = new InnerProductRows();

    /// <inheritdoc/>
    public override int TileRows => InnerProduct.TileRows;

    /// <inheritdoc/>
    public override int PreparedBytes(int groups) => InnerProductPanel.Bytes(groups);

    /// <inheritdoc/>
    public override void Prepare(sbyte* panel, int groups) => InnerProductPanel.Prepare(panel, groups);

    /// <inheritdoc/>
    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile) =>
        InnerProduct.Run(rows, rowStride, rowCount, panel, groups, firstChannel, endChannel, tile);
}
