using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Kernels.Convolutions;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>512-bit products of 16-bit integers, up to 12 rows by a panel's channels at a time.</summary>
/// <param name="kernels">The emitted code.</param>
internal sealed unsafe class WordProduct(EmittedKernels kernels) : WinogradProduct
{
    // Products of bytes take twice as many instructions as those of transformed tiles, which leaves little room for the transforms. The
    // limits are where an estimate of all loops (llvm-mca, for one and for two products per cycle, times 1.25, by which the same estimate
    // was too low for measured AVX2 code) was at least 1.15 times faster than the measured products of bytes: channels enough for the
    // transforms of activations and outputs, tiles enough for that of weights, and nearly all of their outputs inside the image.
    private const int LeastChannels = 128;
    private const int LeastTiles = 48;
    private const int LeastTileRows = 14;

    // With more channels, fewer tiles are transformed at a time.
    private const int MostInputChannels = 512;

    // A thread with fewer tiles of a panel would transform weights for too few of them, or have nothing to do.
    private const int LeastThreadTiles = 24;

    private readonly EmittedKernels _kernels = kernels;

    /// <inheritdoc/>
    public override int StripChannels => KernelTier.TileChannels;

    /// <inheritdoc/>
    public override int MostRows => DotProductEmitter.MaxRows;

    /// <inheritdoc/>
    public override bool Pays(ConvolutionGeometry geometry, long tiles, int threads)
    {
        long panels = (geometry.OutputChannels + KernelTier.TileChannels - 1) / KernelTier.TileChannels;
        return geometry.InputChannels is >= LeastChannels and <= MostInputChannels
            && geometry.OutputChannels >= LeastChannels
            && tiles >= LeastTiles
            && geometry.Rows >= tiles * LeastTileRows
            && tiles * panels >= (long)LeastThreadTiles * threads;
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
        _kernels.MultiplyWords(&arguments, rowCount, adds);
    }
}
