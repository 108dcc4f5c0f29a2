using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>
/// The inner loops of products of floats with nested weights, once per width of vectors. A result is one accumulator that starts at 0 and
/// to which the products are added in ascending k, each by a fused multiply-add: so every width gives the same bits.
/// </summary>
internal abstract unsafe class FloatKernel
{
    /// <summary>The most rows that <see cref="Multiply"/> writes to beyond those that it is given.</summary>
    public const int SpareRows = 7;

    /// <summary>Columns of a tile of products, two vectors; divides 32.</summary>
    public abstract int TileColumns { get; }

    /// <summary>Columns of the narrower tile: one vector.</summary>
    public int NarrowColumns => TileColumns / 2;

    /// <summary>
    /// Converts a decoded panel to floats as the right side of a product: 32 / <see cref="TileColumns"/> tiles <c>[k][channel]</c>.
    /// </summary>
    /// <param name="values">The decoded panel, <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="zeroPoints">32 zero points, which are subtracted in float; null for 0.</param>
    /// <param name="right">Receives 128 * groups floats.</param>
    public abstract void WidenColumns(sbyte* values, int groups, float* zeroPoints, float* right);

    /// <summary>Converts a decoded panel to floats as the left side of a product: a row for each channel.</summary>
    /// <param name="values">The decoded panel, <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="groups">Groups of 4 rows of k.</param>
    /// <param name="zeroPoints">32 zero points, which are subtracted in float; null for 0.</param>
    /// <param name="left">Receives 32 rows of 4 * groups floats.</param>
    /// <param name="stride">Floats from one row to the next.</param>
    [MethodImpl(MethodCompilation.Loops)]
    public static void WidenRows(sbyte* values, int groups, float* zeroPoints, float* left, nint stride)
    {
        // In bounds: 32 channels of each group have four bytes each, and four floats in their row.
        int pairs = Avx2.IsSupported && zeroPoints == null ? groups / 2 : 0;
        for (int pair = 0; pair < pairs; pair++)
        {
            for (int channel = 0; channel < NestedLayout.PanelChannels; channel += 4)
                WidenPair(values + (pair * 2 * NestedLayout.PanelChannels + channel) * 4, left + channel * stride + pair * 8, stride);
        }

        for (int group = 2 * pairs; group < groups; group++)
        {
            for (int channel = 0; channel < NestedLayout.PanelChannels; channel++)
            {
                Vector128<float> four = Vector128.ConvertToSingle(Widen(values + (group * NestedLayout.PanelChannels + channel) * 4));
                if (zeroPoints != null)
                    four -= Vector128.Create(zeroPoints[channel]);
                four.Store(left + channel * stride + 4 * group);
            }
        }
    }

    /// <summary>Converts two groups of four channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WidenPair(sbyte* fours, float* left, nint stride)
    {
        Vector128<int> first = Vector128.Load((int*)fours), second = Vector128.Load((int*)(fours + NestedLayout.PanelChannels * 4));
        Vector128<sbyte> low = Sse2.UnpackLow(first, second).AsSByte(), high = Sse2.UnpackHigh(first, second).AsSByte();
        Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(low)).Store(left);
        Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(Sse2.ShiftRightLogical128BitLane(low, 8))).Store(left + stride);
        Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(high)).Store(left + 2 * stride);
        Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(Sse2.ShiftRightLogical128BitLane(high, 8))).Store(left + 3 * stride);
    }

    /// <summary>Multiplies rows with a tile of columns.</summary>
    /// <param name="left">The rows.</param>
    /// <param name="leftStride">Floats from one row to the next.</param>
    /// <param name="rows">Rows, at least 1.</param>
    /// <param name="right">The tile, <c>[k][<see cref="TileColumns"/>]</c>.</param>
    /// <param name="isNarrow">Whether only the first <see cref="NarrowColumns"/> columns are wanted.</param>
    /// <param name="length">k.</param>
    /// <param name="sums">The accumulators; up to <see cref="SpareRows"/> rows beyond the last one are overwritten.</param>
    /// <param name="sumsStride">Floats from one row of accumulators to the next.</param>
    /// <param name="continues">Whether accumulators start at what is there, not at 0.</param>
    public abstract void Multiply(
        float* left, nint leftStride, int rows, float* right, bool isNarrow, int length, float* sums, nint sumsStride, bool continues);

    /// <summary>The most rows of <see cref="MultiplyDecoded"/>.</summary>
    public const int FewRows = 4;

    /// <summary>Multiplies a few rows with the channels of a decoded panel.</summary>
    /// <param name="left">The rows.</param>
    /// <param name="leftStride">Floats from one row to the next.</param>
    /// <param name="rows">Rows, 1 to <see cref="FewRows"/>.</param>
    /// <param name="values">The decoded panel, <c>[k/4][channel 32][4]</c>.</param>
    /// <param name="length">k.</param>
    /// <param name="zeroPoints">32 zero points, which are subtracted in float; null for 0.</param>
    /// <param name="channels">Channels that are wanted, 1 to 32; more may be computed.</param>
    /// <param name="sums">32 accumulators for each row; up to <see cref="SpareRows"/> rows beyond the last one are overwritten.</param>
    /// <param name="continues">Whether accumulators start at what is there, not at 0.</param>
    public abstract void MultiplyDecoded(
        float* left, nint leftStride, int rows, sbyte* values, int length, float* zeroPoints, int channels, float* sums, bool continues);

    /// <summary>Floats that <see cref="MultiplyTaps"/> may read and write beyond the last output.</summary>
    public const int SpareOutputs = 15;

    /// <summary>Computes the outputs of one channel from one input channel: sums over taps of input * weight.</summary>
    /// <param name="source">The first output's input under the first tap; those of the other outputs of its line follow.</param>
    /// <param name="lineStride">Floats from there to that of the next line's first output.</param>
    /// <param name="lines">Lines of outputs, at least 1.</param>
    /// <param name="columns">Outputs of a line, at least 1; the inputs of <see cref="SpareOutputs"/> more may be read.</param>
    /// <param name="offsets">Floats from an output's input under the first tap to those under every tap.</param>
    /// <param name="taps">Taps, at least 1.</param>
    /// <param name="weights">One weight for each.</param>
    /// <param name="sums">Receives the sums, line after line; <see cref="SpareOutputs"/> more may be overwritten.</param>
    public abstract void MultiplyTaps(
        float* source, nint lineStride, int lines, int columns, nint* offsets, int taps, float* weights, float* sums);

    /// <summary>The epilogue of a row whose columns are channels: y = sum * scale + bias, rounded once, bounded.</summary>
    /// <param name="sums">Accumulators of one row.</param>
    /// <param name="scale">As many scales as channels.</param>
    /// <param name="bias">As many biases.</param>
    /// <param name="bounds">Bounds of the results.</param>
    /// <param name="y">Receives the results.</param>
    /// <param name="channels">1 to 32.</param>
    public abstract void StoreChannels(float* sums, float* scale, float* bias, ClipBounds bounds, float* y, int channels);

    /// <summary>The same for a row whose columns are positions of one channel.</summary>
    public abstract void StorePositions(float* sums, float scale, float bias, ClipBounds bounds, float* y, int positions);

    /// <summary>Adds to results that are not bounded yet: y = y + addend, rounded, bounded.</summary>
    /// <param name="addend">As many values as results.</param>
    /// <param name="bounds">Bounds of the results.</param>
    /// <param name="y">The results.</param>
    /// <param name="count">Their number.</param>
    public abstract void Add(float* addend, ClipBounds bounds, float* y, int count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Widen(sbyte* fours) => Sse41.IsSupported
        ? Sse41.ConvertToVector128Int32(fours)
        : Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(int*)fours).AsSByte()));
}
