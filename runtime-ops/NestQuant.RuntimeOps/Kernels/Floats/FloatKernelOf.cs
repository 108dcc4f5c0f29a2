using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>The inner loops in vectors of one width.</summary>
/// <typeparam name="TVectors">Their operations.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
internal sealed unsafe class FloatKernelOf<TVectors, TVector> : FloatKernel
    where TVectors : IFloatVectors<TVector>
    where TVector : struct
{
    private const int Channels = NestedLayout.PanelChannels;

    /// <summary>The kernel.</summary>
    public static FloatKernelOf<TVectors, TVector> Instance { get; } = new();

    /// <inheritdoc/>
    public override int TileColumns => 2 * TVectors.Count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void WidenColumns(sbyte* values, int groups, float* zeroPoints, float* right)
    {
        // In bounds: a tile has 4 * groups rows of two vectors, whose channels times 4 are bytes of each group.
        for (int channel = 0; channel < Channels; channel += 2 * TVectors.Count)
        {
            sbyte* fours = values + channel * 4;
            TVector zero0 = default, zero1 = default;
            if (zeroPoints != null)
            {
                zero0 = TVectors.Load(zeroPoints + channel);
                zero1 = TVectors.Load(zeroPoints + channel + TVectors.Count);
            }

            for (int group = 0; group < groups; group++, fours += Channels * 4, right += 8 * TVectors.Count)
            {
                WidenFours(fours, zeroPoints != null, zero0, right);
                WidenFours(fours + TVectors.Count * 4, zeroPoints != null, zero1, right + TVectors.Count);
            }
        }
    }

    /// <inheritdoc/>
    public override void Multiply(
        float* left, nint leftStride, int rows, float* right, bool isNarrow, int length, float* sums, nint sumsStride, bool continues)
    {
        while (rows > 0)
        {
            int tile = isNarrow ? 8 : rows % 6 is 0 or 5 ? 6 : 4;
            if (tile == 8)
                FloatTiles<TVectors, TVector>.Multiply8x1(left, leftStride, rows, right, length, sums, sumsStride, continues);
            else if (tile == 6)
                FloatTiles<TVectors, TVector>.Multiply6x2(left, leftStride, rows, right, length, sums, sumsStride, continues);
            else
                FloatTiles<TVectors, TVector>.Multiply4x2(left, leftStride, rows, right, length, sums, sumsStride, continues);
            left += tile * leftStride;
            sums += tile * sumsStride;
            rows -= tile;
        }
    }

    /// <inheritdoc/>
    public override void MultiplyDecoded(
        float* left, nint leftStride, int rows, sbyte* values, int length, float* zeroPoints, int channels, float* sums, bool continues)
    {
        // In bounds: both widths divide 32.
        bool isWide = rows == 1 && FloatRows<TVectors, TVector>.WideColumns <= Channels;
        int columns = isWide ? FloatRows<TVectors, TVector>.WideColumns : TileColumns;
        for (int column = 0; column < channels; column += columns)
        {
            float* zero = zeroPoints == null ? null : zeroPoints + column;
            if (isWide)
                FloatRows<TVectors, TVector>.Multiply1x4(left, values + 4 * column, length, zero, sums + column, continues);
            else
                FloatRows<TVectors, TVector>.Multiply4x2(
                    left, leftStride, rows, values + 4 * column, length, zero, sums + column, Channels, continues);
        }
    }

    /// <inheritdoc/>
    public override void MultiplyTaps(
        float* source, nint lineStride, int lines, int columns, nint* offsets, int taps, float* weights, float* sums) =>
        FloatTaps<TVectors, TVector>.Multiply(source, lineStride, lines, columns, offsets, taps, weights, sums);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void StoreChannels(float* sums, float* scale, float* bias, ClipBounds bounds, float* y, int channels)
    {
        // In bounds: whole vectors end at or before the last channel.
        TVector min = TVectors.Create(bounds.Min), max = TVectors.Create(bounds.Max);
        int i = 0;
        for (; i <= channels - TVectors.Count; i += TVectors.Count)
        {
            TVector value = TVectors.MultiplyAdd(TVectors.Load(sums + i), TVectors.Load(scale + i), TVectors.Load(bias + i));
            TVectors.Store(TVectors.Clamp(value, min, max), y + i);
        }

        for (; i < channels; i++)
            y[i] = Finish(sums[i], scale[i], bias[i], bounds);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void StorePositions(float* sums, float scale, float bias, ClipBounds bounds, float* y, int positions)
    {
        // In bounds: whole vectors end at or before the last position.
        TVector min = TVectors.Create(bounds.Min), max = TVectors.Create(bounds.Max);
        TVector factor = TVectors.Create(scale), added = TVectors.Create(bias);
        int i = 0;
        for (; i <= positions - TVectors.Count; i += TVectors.Count)
            TVectors.Store(TVectors.Clamp(TVectors.MultiplyAdd(TVectors.Load(sums + i), factor, added), min, max), y + i);
        for (; i < positions; i++)
            y[i] = Finish(sums[i], scale, bias, bounds);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Add(float* addend, ClipBounds bounds, float* y, int count)
    {
        // In bounds: whole vectors end at or before the last result.
        TVector min = TVectors.Create(bounds.Min), max = TVectors.Create(bounds.Max), one = TVectors.Create(1);
        int i = 0;
        for (; i <= count - TVectors.Count; i += TVectors.Count)
            TVectors.Store(TVectors.Clamp(TVectors.MultiplyAdd(TVectors.Load(y + i), one, TVectors.Load(addend + i)), min, max), y + i);
        for (; i < count; i++)
            y[i] = Finish(y[i], 1, addend[i], bounds);
    }

    private static float Finish(float sum, float scale, float bias, ClipBounds bounds)
    {
        float value = MathF.FusedMultiplyAdd(sum, scale, bias);
        value = value < bounds.Min ? bounds.Min : value;
        return value > bounds.Max ? bounds.Max : value;
    }

    /// <summary>Converts one vector of channels of four rows of k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WidenFours(sbyte* fours, bool hasZeroPoints, TVector zeroPoints, float* right)
    {
        TVector row0 = TVectors.Weights(fours, 0), row1 = TVectors.Weights(fours, 1);
        TVector row2 = TVectors.Weights(fours, 2), row3 = TVectors.Weights(fours, 3);
        if (hasZeroPoints)
        {
            row0 = TVectors.Subtract(row0, zeroPoints);
            row1 = TVectors.Subtract(row1, zeroPoints);
            row2 = TVectors.Subtract(row2, zeroPoints);
            row3 = TVectors.Subtract(row3, zeroPoints);
        }

        TVectors.Store(row0, right);
        TVectors.Store(row1, right + 2 * TVectors.Count);
        TVectors.Store(row2, right + 4 * TVectors.Count);
        TVectors.Store(row3, right + 6 * TVectors.Count);
    }
}
