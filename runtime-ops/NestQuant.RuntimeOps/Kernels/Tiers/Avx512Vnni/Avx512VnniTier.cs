using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Kernels.Emission;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers.Avx2;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx512Vnni;

/// <summary>
/// 512-bit products of bytes by code emitted at run time, for processors with AVX512-VNNI; AVX2 code does the rest.
/// </summary>
/// <param name="kernels">The emitted code.</param>
internal unsafe class Avx512VnniTier(EmittedKernels kernels) : X64Tier
{
    private static readonly EmittedDecoders Decoders = new(ExecutableMemory.TryMap);

    private readonly EmittedKernels _kernels = kernels;
    private readonly Avx512TileProduct _product = new(kernels);
    private readonly WordProduct _wordProduct = new(kernels);

    /// <inheritdoc/>
    public override string Name => TierNames.Avx512Vnni;

    /// <inheritdoc/>
    public sealed override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public sealed override int TileRows => DotProductEmitter.MaxRows;

    /// <inheritdoc/>
    public sealed override FloatKernel Floats => Avx512F.IsSupported ? FloatKernelOf<Vectors512, Vector512<float>>.Instance : base.Floats;

    /// <inheritdoc/>
    public override StripKernel? Strips => EmittedStrips.Instance;

    /// <inheritdoc/>
    public override WinogradProduct? Winograd => _wordProduct;

    /// <inheritdoc/>
    public sealed override KernelTier Streaming => this;

    /// <inheritdoc/>
    public override TileProduct? TileProduct(int rows, int reductionLength) => _product;

    /// <inheritdoc/>
    public sealed override void DecodeBlocks(in LevelOperands operands, int blocks, sbyte* values)
    {
        if (!operands.IsPair || !Decoders.TryDecode(operands.High, operands.Low, blocks, operands.Bits, values))
            base.DecodeBlocks(operands, blocks, values);
    }

    /// <inheritdoc/>
    public sealed override int StreamedZeroPoint => 0;

    /// <inheritdoc/>
    public sealed override bool TryMultiplyBlocks(
        in LevelOperands operands, int blocks, byte* rows, nint rowStride, int rowCount, int* accumulators, int* weightSums) =>
        operands.IsPair && Decoders.TryMultiply(operands, blocks, rows, rowStride, rowCount, accumulators, weightSums);

    /// <inheritdoc/>
    public sealed override void SumWeights(sbyte* panel, int groups, int* sums) => _kernels.SumWeights(panel, groups, sums);

    /// <inheritdoc/>
    public sealed override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile)
    {
        // In bounds: the vectors from the one of the first channel to the one of the last lie in the panel and in the tile's rows.
        int firstVector = firstChannel / DotProductEmitter.VectorChannels;
        int vectors = (endChannel - 1) / DotProductEmitter.VectorChannels + 1 - firstVector;
        int channel = firstVector * DotProductEmitter.VectorChannels;
        int* zeros = stackalloc int[TileChannels];
        new Span<int>(zeros, TileChannels).Clear();
        nint start = 0;
        TileArguments arguments = new()
        {
            Rows = rows,
            RowStride = rowStride,
            Chunks = &start,
            EndOfChunks = &start + 1,
            ChunkGroups = groups,
            Panel = panel + channel * 4,
            Tile = tile + channel,
            Start = zeros,
        };
        _kernels.Multiply(&arguments, rowCount, vectors);
    }
}
