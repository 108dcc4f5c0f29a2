using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

namespace NestQuant.RuntimeOps.Kernels.Tiers.AvxVnni;

/// <summary>256-bit products of bytes, for processors with AVX-VNNI; AVX2 code does the rest.</summary>
/// <typeparam name="TDot">Multiplies and adds.</typeparam>
internal sealed unsafe class AvxVnniTier<TDot> : X64Tier
    where TDot : struct, IByteDot
{
    private static readonly ByteStrips<TDot> ByteStrips = new();

    /// <inheritdoc/>
    public override string Name => TierNames.AvxVnni;

    /// <inheritdoc/>
    public override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public override int TileRows => ByteDotProduct<TDot>.TileRows;

    /// <inheritdoc/>
    public override KernelTier Streaming => this;

    /// <inheritdoc/>
    public override StripKernel? Strips => ByteStrips;

    /// <inheritdoc/>
    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        // A single row costs less with the one-row loop than as a tile of six.
        if (rowCount == 1)
        {
            ByteDotProduct<TDot>.OneRow(rows, panel, groups, tile);
            return;
        }

        int firstStrip = firstChannel / ByteDotProduct<TDot>.StripChannels * ByteDotProduct<TDot>.StripChannels;
        for (int channel = firstStrip; channel < endChannel; channel += ByteDotProduct<TDot>.StripChannels)
            ByteDotProduct<TDot>.SixRows(rows, rowStride, rowCount, panel + channel * 4, groups, tile + channel);
    }
}
