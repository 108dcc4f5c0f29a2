namespace NestQuant.RuntimeOps.Kernels.Avx2;

/// <summary>256-bit kernels for processors with AVX2 and FMA.</summary>
/// <remarks>
/// vpmaddubsw is the fastest multiplication there is, but its 16-bit pair sums saturate (255 * 127 * 2 exceeds 32,767), which would make
/// results depend on the data. <see cref="SafePanel"/> gives it only weights with which it is exact.
/// </remarks>
internal sealed unsafe class Avx2Tier : X64Tier
{
    private const int LeastRowsToPrepare = 3;

    /// <inheritdoc/>
    public override string Name => TierNames.Avx2;

    /// <inheritdoc/>
    public override int TileRows => DotProduct.TileRows;

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
}
