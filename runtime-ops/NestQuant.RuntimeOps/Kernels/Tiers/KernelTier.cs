using System.Runtime.Intrinsics;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Tiers;

/// <summary>
/// The inner loops, once per instruction set. All tiers give the same bits: accumulators are exact integers, and the epilogue rounds once
/// per float operation, in a fixed order, without fused multiply-add. GroupNL's kernels use fused multiply-add in every tier, in the same
/// places.
/// </summary>
internal abstract unsafe class KernelTier
{
    /// <summary>Channels of a tile of accumulators: one panel.</summary>
    public const int TileChannels = NestedLayout.PanelChannels;

    /// <summary>
    /// The most rows of k that one call of <see cref="Dot"/> may accumulate: |x| is at most 255 and |w| at most 128, so 65,536 products
    /// stay below 2^31.
    /// </summary>
    public const int MaxDotLength = 65536;

    /// <summary>The name by which the environment variable forces the tier.</summary>
    public abstract string Name { get; }

    /// <summary>The most rows that one call of <see cref="Dot"/> takes: those whose accumulators fit in the tier's registers.</summary>
    public abstract int TileRows { get; }

    /// <summary>The format of the rows that <see cref="Dot"/> reads.</summary>
    public abstract RowFormat Rows { get; }

    /// <summary>
    /// Multiplies the transformed tiles of 3x3 convolutions (Winograd's algorithm), whose transforms need AVX2; null in tiers whose other
    /// products are faster.
    /// </summary>
    public virtual WinogradProduct? Winograd => null;

    /// <summary>
    /// Multiplies depthwise convolutions without weight zero points; null in tiers that always use <see cref="DotDepthwise"/>.
    /// </summary>
    public virtual StripKernel? Strips => null;

    /// <summary>The tier that multiplies certain weights: this one, or another of the same name whose loops suit them.</summary>
    /// <param name="weightBits">Bits of a weight, including its sign and without its power of two.</param>
    /// <param name="rows">Rows of the product.</param>
    /// <param name="reductionLength">K.</param>
    public virtual KernelTier For(int weightBits, int rows, int reductionLength) => this;

    /// <summary>
    /// The tier that multiplies a few rows while their weights are read (streamed products): one of the same name whose rows
    /// are bytes and whose panels need no preparation; null where there is none.
    /// </summary>
    public virtual KernelTier? Streaming => null;

    /// <summary>
    /// Multiplies rows in place (implicit GEMM); null for tiers that gather them first.
    /// </summary>
    /// <param name="rows">Rows of the product.</param>
    /// <param name="reductionLength">K.</param>
    public virtual TileProduct? TileProduct(int rows, int reductionLength) => null;

    /// <summary>Multiplies floats with decoded weights (weight-only layers).</summary>
    public virtual FloatKernel Floats => FloatKernelOf<Vectors128, Vector128<float>>.Instance;

    /// <summary>Decodes consecutive full blocks (8 rows of k, 32 channels) to signed bytes in the order of the operands.</summary>
    /// <param name="operands">blocks * 32 * width bytes of each operand.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="values">Receives blocks * 256 values.</param>
    public abstract void DecodeBlocks(in LevelOperands operands, int blocks, sbyte* values);

    /// <summary>What <see cref="TryMultiplyBlocks"/> subtracts from activations.</summary>
    public virtual int StreamedZeroPoint => 0;

    /// <summary>Multiplies a few rows of bytes with consecutive full blocks as they are decoded, where the tier can.</summary>
    /// <param name="operands">As in <see cref="DecodeBlocks"/>.</param>
    /// <param name="blocks">Number of blocks.</param>
    /// <param name="rows">Rows of 8 * blocks activations; accumulators stay within 32 bits.</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    /// <param name="rowCount">Rows, at least 1.</param>
    /// <param name="accumulators">Receives the sums of (x - <see cref="StreamedZeroPoint"/>) * w, <c>[row][channel 32]</c>.</param>
    /// <param name="weightSums">Receives the sums of w, 32; null where they are not wanted.</param>
    /// <returns>False, with nothing written, where the tier has none.</returns>
    public virtual bool TryMultiplyBlocks(
        in LevelOperands operands, int blocks, byte* rows, nint rowStride, int rowCount, int* accumulators, int* weightSums) => false;

    /// <summary>Sums the weights of every channel of a decoded panel.</summary>
    /// <param name="panel">The decoded panel, <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="groups">Groups of 4 rows of k, at most <see cref="MaxDotLength"/> / 4.</param>
    /// <param name="sums">Receives 32 sums.</param>
    public abstract void SumWeights(sbyte* panel, int groups, int* sums);

    /// <summary>Bytes of a prepared panel, at least 128 per group.</summary>
    /// <param name="groups">Groups of 4 rows of k.</param>
    public virtual int PreparedBytes(int groups) => groups * 4 * TileChannels;

    /// <summary>Converts a decoded panel to the form that <see cref="Dot"/> reads, in place; most tiers read it as it is.</summary>
    /// <param name="panel">The decoded panel <c>[k/4][channel 32][4]</c>, at the start of <see cref="PreparedBytes"/> bytes.</param>
    /// <param name="groups">Groups of 4 rows of k, at most <see cref="MaxDotLength"/> / 4.</param>
    public virtual void Prepare(sbyte* panel, int groups)
    {
    }

    /// <summary>Multiplies rows of activations with a prepared panel.</summary>
    /// <param name="rows">rowCount rows of 4 * groups values in the tier's <see cref="Rows"/> format; nothing else is readable.</param>
    /// <param name="rowStride">Bytes from one row to the next.</param>
    /// <param name="rowCount">1 to <see cref="TileRows"/>.</param>
    /// <param name="panel">The prepared panel: <c>[k/4][channel 32][4]</c> in tiers that do not override <see cref="Prepare"/>.</param>
    /// <param name="groups">Groups of 4 rows of k, as many as were prepared.</param>
    /// <param name="firstChannel">First channel wanted.</param>
    /// <param name="endChannel">Channel after the last one wanted, at most 32.</param>
    /// <param name="tile">
    /// Receives the accumulators, <c>[<see cref="TileRows"/>][<see cref="TileChannels"/>]</c>; other rows and channels are undefined.
    /// </param>
    public abstract void Dot(
        byte* rows, nint rowStride, int rowCount, sbyte* panel, int groups, int firstChannel, int endChannel, int* tile);

    /// <summary>Multiplies and accumulates the taps of up to 32 depthwise channels at neighbouring outputs, with x not centered.</summary>
    /// <param name="taps">2 * pairs pointers, each to one byte per channel of the first output.</param>
    /// <param name="step">Bytes from an output's taps to those of the next.</param>
    /// <param name="columns">Outputs, 1 to <see cref="TileRows"/>.</param>
    /// <param name="pairs">Pairs of taps.</param>
    /// <param name="weights"><c>[pair][channel 32][2]</c>; accumulators stay within 32 bits.</param>
    /// <param name="channels">1 to 32; no byte beyond this many is read from a tap.</param>
    /// <param name="accumulators">Receives one accumulator per channel, <c>[columns][<see cref="TileChannels"/>]</c>.</param>
    public abstract void DotDepthwise(byte** taps, nint step, int columns, int pairs, short* weights, int channels, int* accumulators);

    /// <summary>The epilogue: y = (float)(sum - centering - zero point * row sum) * scale + bias, stored or requantized.</summary>
    /// <param name="tile">Accumulators, <c>[rows][<see cref="TileChannels"/>]</c>.</param>
    /// <param name="rows">Rows to store.</param>
    /// <param name="firstChannel">First channel to store.</param>
    /// <param name="endChannel">Channel after the last one to store.</param>
    /// <param name="epilogue">The panel's factors; the integer part of the formula fits in 32 bits.</param>
    /// <param name="rowSums">Sums of each row's centered activations; not read when there are no zero points.</param>
    /// <param name="y">Output of row 0, channel 0 of the panel.</param>
    /// <param name="yStride">Bytes from one row to the next.</param>
    public abstract void Store(
        int* tile, int rows, int firstChannel, int endChannel, in PanelEpilogue epilogue, long* rowSums, byte* y, long yStride);

    /// <summary>GroupNL over neighbouring pixels of one image whose maps lie one after the other.</summary>
    /// <param name="data">The parameters.</param>
    /// <param name="x">The first pixel in seed map 0.</param>
    /// <param name="y">The same pixel in output map 0; not the memory of x.</param>
    /// <param name="planeStride">Floats from one map to the next, in both.</param>
    /// <param name="pixels">1 to <see cref="ExpansionData.MaxPlanePixels"/>.</param>
    public abstract void ExpandPlanes(ExpansionData data, float* x, float* y, long planeStride, int pixels);

    /// <summary>GroupNL over pixels whose maps are neighbours (channels last).</summary>
    /// <param name="data">The parameters.</param>
    /// <param name="x">The first pixel's seed values; may be <paramref name="y"/>, with its stride.</param>
    /// <param name="xStride">Floats from one pixel's seed values to the next's.</param>
    /// <param name="y">Receives all maps' values, pixel after pixel.</param>
    /// <param name="rows">Pixels.</param>
    public abstract void ExpandRows(ExpansionData data, float* x, long xStride, float* y, int rows);
}
