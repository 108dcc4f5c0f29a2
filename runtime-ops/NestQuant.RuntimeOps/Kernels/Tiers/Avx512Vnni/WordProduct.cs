using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>512-bit products of 16-bit integers, up to 12 rows by a panel's channels at a time.</summary>
/// <param name="kernels">The emitted code.</param>
internal sealed unsafe class WordProduct(EmittedKernels kernels) : WinogradProduct
{
    private readonly EmittedKernels _kernels = kernels;

    /// <inheritdoc/>
    public override int StripChannels => KernelTier.TileChannels;

    /// <inheritdoc/>
    public override int MostRows => DotProductEmitter.MaxRows;

    /// <inheritdoc/>
    public override int LeastInputChannels => 128;

    /// <inheritdoc/>
    public override int LeastTiles => 32;

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
