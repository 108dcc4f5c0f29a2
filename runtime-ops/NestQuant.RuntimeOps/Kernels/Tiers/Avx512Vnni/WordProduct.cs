using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>512-bit products of 16-bit integers, up to 12 rows by a panel's channels at a time.</summary>
/// <param name="kernels">The emitted code.</param>
internal sealed unsafe class WordProduct(EmittedKernels kernels) : WinogradProduct
{
    // Products of bytes take twice as many instructions as those of transformed tiles, which leaves little room for the transforms: there
    // must be channels enough for those of activations and outputs, tiles enough for that of weights, and nearly all outputs of the tiles
    // must exist. The limits are not measured. They are where products of bytes took at least 1.15 times as long, measured, as all loops
    // of this algorithm by an estimate of llvm-mca, on processors that start one and two products per cycle. Estimates were multiplied
    // by 1.25, because those of the AVX2 code are up to 1.2 times too low.
    private const int LeastChannels = 128;
    private const int LeastTiles = 48;
    private const int LeastTilePositions = 15;

    // With more channels, too few tiles are transformed at a time.
    private const int MostInputChannels = 512;

    private readonly EmittedKernels _kernels = kernels;

    /// <inheritdoc/>
    public override int StripChannels => KernelTier.TileChannels;

    /// <inheritdoc/>
    public override int SpareRows => 0;

    /// <inheritdoc/>
    public override int LeastPartTiles => LeastTiles;

    /// <inheritdoc/>
    public override bool Pays(in WinogradShape shape)
    {
        // The parts that the work can be cut into with tiles enough for each.
        long parts = shape.Tiles / LeastTiles * ((shape.OutputChannels + KernelTier.TileChannels - 1) / KernelTier.TileChannels);
        return shape.InputChannels is >= LeastChannels and <= MostInputChannels
            && shape.OutputChannels >= LeastChannels
            && shape.Positions >= shape.Tiles * LeastTilePositions
            && parts >= shape.Threads;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodCompilation.Loops)]
    public override void Multiply(short* rows, nint rowStride, int rowCount, short* strip, int pairs, int* accumulators, bool adds)
    {
        nint start = 0;
        TileArguments arguments = new()
        {
            Rows = (byte*)rows,
            RowStride = rowStride * sizeof(short),
            Chunks = &start,
            EndOfChunks = &start + 1,
            ChunkGroups = pairs,
            Panel = (sbyte*)strip,
            Tile = accumulators,
        };

        // Calls of nearly equal size: a small one at the end would stall on the latency of its few accumulators.
        for (int calls = (rowCount + DotProductEmitter.MaxRows - 1) / DotProductEmitter.MaxRows; calls > 0; calls--)
        {
            int count = (rowCount + calls - 1) / calls;
            _kernels.MultiplyWords(&arguments, count, adds);
            arguments.Rows += count * arguments.RowStride;
            arguments.Tile += count * TileDistance;
            rowCount -= count;
        }
    }
}
