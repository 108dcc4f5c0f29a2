namespace NestQuant.RuntimeOps.Kernels.Tiers.Avx2;

/// <summary>256-bit kernels for processors with AVX2 and FMA.</summary>
/// <remarks>
/// vpmaddubsw is the fastest multiplication of AVX2, but its 16-bit sums saturate (255 * 127 * 2 exceeds 32,767), which would make results
/// wrong for some data. Weights of few bits, nearly always those of part precision, stay so small that even two of its results can be added
/// in 16 bits (<see cref="QuadPanel"/>). Others are split into two parts that are small enough (<see cref="SplitTier"/>) or, where a
/// processor's multiplications would take longer than anything else, added to activations before they are multiplied
/// (<see cref="InnerProductTier"/>). Products with so few rows that preparing panels does not pay go to <see cref="PlainTier"/>, which
/// also multiplies what is streamed.
/// </remarks>
internal sealed unsafe class Avx2Tier : X64Tier
{
    private const int LeastRowsToPrepare = 3;

    private static readonly PlainTier Plain = new();
    private static readonly SplitTier Split = new();
    private static readonly InnerProductTier InnerProduct = new();
    private static readonly PairStrips PairStrips = new();
    private static readonly PairProduct PairProduct = new();

    private readonly bool _hasSingleMultiplier;

    /// <summary>The tier for one of two kinds of processors; both give the same bits.</summary>
    /// <param name="hasSingleMultiplier">Whether to save multiplications; see <see cref="ProcessorModel"/>.</param>
    public Avx2Tier(bool hasSingleMultiplier) => _hasSingleMultiplier = hasSingleMultiplier;

    /// <inheritdoc/>
    public override string Name => _hasSingleMultiplier ? TierNames.Avx2SingleMultiplier : TierNames.Avx2;

    /// <inheritdoc/>
    public override RowFormat Rows => RowFormat.Bytes;

    /// <inheritdoc/>
    public override int TileRows => DotProduct.TileRows;

    /// <inheritdoc/>
    public override WinogradProduct Winograd => PairProduct;

    /// <inheritdoc/>
    public override KernelTier Streaming => Plain;

    /// <inheritdoc/>
    public override StripKernel? Strips => PairStrips;

    /// <inheritdoc/>
    public override KernelTier For(int weightBits, int rows, int reductionLength)
    {
        if (rows < LeastRowsToPrepare)
            return Plain;
        if (weightBits <= QuadPanel.MaxWeightBits)
            return this;
        return _hasSingleMultiplier && reductionLength <= MaxDotLength ? InnerProduct : Split;
    }

    /// <inheritdoc/>
    public override int PreparedBytes(int groups) => QuadPanel.Bytes(groups);

    /// <inheritdoc/>
    public override void Prepare(sbyte* panel, int groups) => QuadPanel.Prepare(panel, groups);

    /// <inheritdoc/>
    public override void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile) =>
        DotProduct.Run(rows, rowStride, rowCount, panel, groups, firstChannel, endChannel, tile);
}
