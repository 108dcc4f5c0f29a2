using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Tests.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions.ImplicitGemm;

/// <summary>A tier that multiplies rows where they lie, on any processor.</summary>
internal sealed class ImplicitTier(
    string name, int mostRows, int mostChunkBytes, bool crossesLines, WinogradProduct? winograd = null) : ByteRowsTier
{
    private readonly PlainTileProduct _product = new(mostRows, mostChunkBytes, crossesLines);

    public override string Name => name;

    public override WinogradProduct? Winograd => winograd;

    public override TileProduct? TileProduct(int rows, int reductionLength) => _product;
}
