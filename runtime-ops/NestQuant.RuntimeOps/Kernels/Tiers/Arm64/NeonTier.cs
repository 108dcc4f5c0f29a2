namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>128-bit products of bytes, for arm64 processors without dot products, such as the Cortex-A53 and A72.</summary>
/// <typeparam name="TNeon">The instructions of every arm64 processor.</typeparam>
internal sealed unsafe class NeonTier<TNeon> : Arm64Tier<TNeon>
    where TNeon : struct, INeon
{
    /// <inheritdoc/>
    public override string Name => TierNames.Neon;

    /// <inheritdoc/>
    public override int TileRows => 6;

    /// <inheritdoc/>
    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        // In bounds: rowCount rows and rows of accumulators exist. A vector of weights takes four instructions for each row, so that
        // loading it once for several rows would save little.
        for (int row = 0; row < rowCount; row++)
            PairProduct<TNeon>.OneRow(
                rows + row * rowStride, panel, groups, AccumulatorStarts<TNeon>.Of(panel, groups), tile + row * TileChannels);
    }
}
