using NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Amx;

/// <summary>
/// Products in AMX's tile registers, for processors that have them; AVX-512 does products too small for a tile, and everything else.
/// </summary>
/// <param name="vectors">The emitted code of AVX-512.</param>
/// <param name="tiles">The emitted code of AMX.</param>
internal sealed class AmxTier(EmittedKernels vectors, EmittedTileProduct tiles) : Avx512VnniTier(vectors)
{
    // A tile costs the same for any number of rows and bytes, and so does the code before and after its products.
    private const int LeastRows = 5;
    private const int LeastLength = 40;

    private readonly AmxTileProduct _tiles = new(tiles, vectors);

    /// <inheritdoc/>
    public override string Name => TierNames.Amx;

    /// <inheritdoc/>
    public override WinogradProduct? Winograd => null;

    /// <inheritdoc/>
    public override TileProduct? TileProduct(int rows, int reductionLength) =>
        rows < LeastRows || reductionLength < LeastLength ? base.TileProduct(rows, reductionLength) : _tiles;
}
