namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>What an emitted product multiplies, and where its accumulators start.</summary>
internal enum DotProductForm
{
    /// <summary>
    /// Unsigned by signed bytes, four to an accumulator; accumulators start with the channels' initial values, and rows of the tile are
    /// neighbours.
    /// </summary>
    Bytes,

    /// <summary>
    /// Signed 16-bit integers, two to an accumulator; accumulators start with 0, and rows of the tile are
    /// <see cref="WinogradProduct.TileDistance"/> apart.
    /// </summary>
    Words,

    /// <summary>As <see cref="Words"/>, but accumulators start with what the tile has.</summary>
    AddedWords,
}
