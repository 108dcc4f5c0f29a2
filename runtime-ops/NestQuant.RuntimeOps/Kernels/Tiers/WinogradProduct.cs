namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>
/// The products of a 3x3 convolution by Winograd's algorithm: at each position of a transformed tile, rows of 16-bit activations, a row for
/// each tile, times a strip of 16-bit weights.
/// </summary>
internal abstract unsafe class WinogradProduct
{
    /// <summary>Positions of a transformed tile.</summary>
    public const int Positions = 36;

    /// <summary>Accumulators from one tile to the next: those of a panel's channels at every position.</summary>
    public const int TileDistance = Positions * KernelTier.TileChannels;

    /// <summary>Output channels of a strip: a panel's, or a divisor of them that is a multiple of 8.</summary>
    public abstract int StripChannels { get; }

    /// <summary>Rows after the last one whose accumulators may be overwritten, where rows are multiplied several at a time.</summary>
    public abstract int SpareRows { get; }

    /// <summary>Tiles enough for a part of the work, which transforms the weights for them.</summary>
    public abstract int LeastPartTiles { get; }

    /// <summary>Whether a convolution that the algorithm applies to is faster with it than with the tier's other products.</summary>
    public abstract bool Pays(in WinogradShape shape);

    /// <summary>Multiplies rows with a strip; accumulators are modulo 2^32.</summary>
    /// <param name="rows">rowCount rows of 2 * pairs values.</param>
    /// <param name="rowStride">Values from one row to the next.</param>
    /// <param name="rowCount">Rows, at least 1.</param>
    /// <param name="strip">The weights, <c>[pair][channel of the strip][2]</c>.</param>
    /// <param name="pairs">Pairs of values of a row.</param>
    /// <param name="accumulators">
    /// Receives the strip's accumulators of each row, rows <see cref="TileDistance"/> apart; those of <see cref="SpareRows"/> more are
    /// undefined.
    /// </param>
    /// <param name="adds">Whether to add to the existing values instead of starting at 0.</param>
    public abstract void Multiply(short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* accumulators, bool adds);
}
