namespace NestQuant.RuntimeOps.Kernels.Tiers.Arm64;

/// <summary>128-bit dot products of bytes, for arm64 processors with the dot product extension.</summary>
/// <typeparam name="TNeon">The instructions of every arm64 processor.</typeparam>
/// <typeparam name="TDot">Multiplies and adds.</typeparam>
internal sealed unsafe class NeonDotTier<TNeon, TDot> : Arm64Tier<TNeon>
    where TNeon : struct, INeon
    where TDot : struct, ISignedDot
{
    /// <inheritdoc/>
    public override string Name => TierNames.NeonDot;

    /// <inheritdoc/>
    public override int TileRows => SignedDotProduct<TDot>.TileRows;

    /// <inheritdoc/>
    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        int* starts = AccumulatorStarts<TNeon>.Of(panel, groups);

        // A single row costs less with the one-row loop than as a tile of six.
        if (rowCount == 1)
        {
            SignedDotProduct<TDot>.OneRow(rows, panel, groups, starts, tile);
            return;
        }

        int firstStrip = firstChannel / SignedDotProduct<TDot>.StripChannels * SignedDotProduct<TDot>.StripChannels;
        for (int channel = firstStrip; channel < endChannel; channel += SignedDotProduct<TDot>.StripChannels)
            SignedDotProduct<TDot>.SixRows(rows, rowStride, rowCount, panel + channel * 4, groups, starts + channel, tile + channel);
    }
}
