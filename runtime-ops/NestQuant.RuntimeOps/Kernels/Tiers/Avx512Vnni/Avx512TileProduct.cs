using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>512-bit products of bytes, up to 12 rows by a panel at a time.</summary>
/// <param name="kernels">The emitted code.</param>
internal sealed unsafe class Avx512TileProduct(EmittedKernels kernels) : TileProduct
{
    private static readonly EmittedStoringProducts StoringProducts = new(ExecutableMemory.TryMap);

    private readonly EmittedKernels _kernels = kernels;

    /// <inheritdoc/>
    public override int MostRows => DotProductEmitter.MaxRows;

    /// <inheritdoc/>
    public override int MostChunkBytes => int.MaxValue / 4 * 4;

    /// <inheritdoc/>
    public override bool CrossesLines => false;

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override (int First, int Count) Tile(int row, int rows)
    {
        // Tiles of nearly equal size: a small one at the end would stall on the latency of its few accumulators.
        int left = rows - row;
        int tiles = (left + MostRows - 1) / MostRows;
        return (row, (left + tiles - 1) / tiles);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override void Multiply(TileArguments* arguments, int rows, int vectors) => _kernels.Multiply(arguments, rows, vectors);

    /// <inheritdoc/>
    public override void Store(int* tile, int rows, int channels, in PanelEpilogue epilogue, byte* y, long yStride) =>
        _kernels.Store(tile, rows, channels, epilogue, y, yStride);

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override void MultiplyAndStore(TileArguments* arguments, int rows, int vectors, in CompleteRows complete)
    {
        if (vectors < DotProductEmitter.MaxVectors || !StoringProducts.TryRun(arguments, rows, complete))
            base.MultiplyAndStore(arguments, rows, vectors, complete);
    }
}
