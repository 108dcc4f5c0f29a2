using System.Runtime.CompilerServices;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>
/// Products of one to four rows with a decoded panel, whose weights become floats in registers: with so few rows, storing them as floats
/// would take longer than multiplying them. See <see cref="FloatKernel.MultiplyDecoded"/>.
/// </summary>
/// <typeparam name="TVectors">Operations of the vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
/// <remarks>
/// In bounds: a group has four bytes of each channel, and each row four floats for it, the last one perhaps fewer. Rows beyond the last
/// one are read as that one, and their accumulators belong to the spare rows.
/// </remarks>
internal static unsafe class FloatRows<TVectors, TVector>
    where TVectors : IFloatVectors<TVector>
    where TVector : struct
{
    private const int GroupBytes = NestedLayout.PanelChannels * 4;

    /// <summary>Channels that one row is multiplied with at a time: four vectors, which hide most of a multiplication's latency.</summary>
    public static int WideColumns => 4 * TVectors.Count;

    /// <summary>One row with four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply1x4(float* left, sbyte* values, int length, float* zeroPoints, float* sums, bool continues)
    {
        if (zeroPoints == null)
            Multiply1x4(left, values, length, false, zeroPoints, sums, continues);
        else
            Multiply1x4(left, values, length, true, zeroPoints, sums, continues);
    }

    /// <summary>Up to four rows with two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4x2(
        float* left, nint leftStride, int rows, sbyte* values, int length, float* zeroPoints, float* sums, nint sumsStride, bool continues)
    {
        if (zeroPoints == null)
            Multiply4x2(left, leftStride, rows, values, length, false, zeroPoints, sums, sumsStride, continues);
        else
            Multiply4x2(left, leftStride, rows, values, length, true, zeroPoints, sums, sumsStride, continues);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply1x4(
        float* left, sbyte* values, int length, bool hasZeroPoints, float* zeroPoints, float* sums, bool continues)
    {
        Four zero = hasZeroPoints ? new Four(zeroPoints) : default, sum = continues ? new Four(sums) : default;
        int k = 0;
        for (; k <= length - 4; k += 4, left += 4, values += GroupBytes)
        {
            sum.Add(left[0], values, 0, hasZeroPoints, zero);
            sum.Add(left[1], values, 1, hasZeroPoints, zero);
            sum.Add(left[2], values, 2, hasZeroPoints, zero);
            sum.Add(left[3], values, 3, hasZeroPoints, zero);
        }

        if (k < length)
            sum.Add(left[0], values, 0, hasZeroPoints, zero);
        if (k + 1 < length)
            sum.Add(left[1], values, 1, hasZeroPoints, zero);
        if (k + 2 < length)
            sum.Add(left[2], values, 2, hasZeroPoints, zero);
        sum.Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Multiply4x2(
        float* left, nint leftStride, int rows, sbyte* values, int length, bool hasZeroPoints, float* zeroPoints, float* sums,
        nint sumsStride, bool continues)
    {
        float* left1 = left + Math.Min(1, rows - 1) * leftStride;
        float* left2 = left + Math.Min(2, rows - 1) * leftStride;
        float* left3 = left + Math.Min(3, rows - 1) * leftStride;
        Two zero = hasZeroPoints ? new Two(zeroPoints) : default;
        Two sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        if (continues)
        {
            sum0 = new Two(sums);
            sum1 = new Two(sums + sumsStride);
            sum2 = new Two(sums + 2 * sumsStride);
            sum3 = new Two(sums + 3 * sumsStride);
        }

        int k = 0;
        for (; k <= length - 4; k += 4, values += GroupBytes)
        {
            Two weights = Two.Weights(values, 0, hasZeroPoints, zero);
            sum0.Add(left[k], weights);
            sum1.Add(left1[k], weights);
            sum2.Add(left2[k], weights);
            sum3.Add(left3[k], weights);
            weights = Two.Weights(values, 1, hasZeroPoints, zero);
            sum0.Add(left[k + 1], weights);
            sum1.Add(left1[k + 1], weights);
            sum2.Add(left2[k + 1], weights);
            sum3.Add(left3[k + 1], weights);
            weights = Two.Weights(values, 2, hasZeroPoints, zero);
            sum0.Add(left[k + 2], weights);
            sum1.Add(left1[k + 2], weights);
            sum2.Add(left2[k + 2], weights);
            sum3.Add(left3[k + 2], weights);
            weights = Two.Weights(values, 3, hasZeroPoints, zero);
            sum0.Add(left[k + 3], weights);
            sum1.Add(left1[k + 3], weights);
            sum2.Add(left2[k + 3], weights);
            sum3.Add(left3[k + 3], weights);
        }

        for (int row = 0; k < length; k++, row++)
        {
            Two weights = Two.Weights(values, row, hasZeroPoints, zero);
            sum0.Add(left[k], weights);
            sum1.Add(left1[k], weights);
            sum2.Add(left2[k], weights);
            sum3.Add(left3[k], weights);
        }

        sum0.Store(sums);
        sum1.Store(sums + sumsStride);
        sum2.Store(sums + 2 * sumsStride);
        sum3.Store(sums + 3 * sumsStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Weight(sbyte* fours, int row, bool hasZeroPoints, TVector zero)
    {
        TVector weights = TVectors.Weights(fours, row);
        return hasZeroPoints ? TVectors.Subtract(weights, zero) : weights;
    }

    /// <summary>Two neighbouring vectors; fields, so that they stay in registers.</summary>
    private struct Two
    {
        private TVector _first, _second;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Two(float* values)
        {
            _first = TVectors.Load(values);
            _second = TVectors.Load(values + TVectors.Count);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Two Weights(sbyte* fours, int row, bool hasZeroPoints, Two zero)
        {
            Two weights;
            weights._first = Weight(fours, row, hasZeroPoints, zero._first);
            weights._second = Weight(fours + 4 * TVectors.Count, row, hasZeroPoints, zero._second);
            return weights;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(float left, Two weights)
        {
            TVector x = TVectors.Create(left);
            _first = TVectors.MultiplyAdd(x, weights._first, _first);
            _second = TVectors.MultiplyAdd(x, weights._second, _second);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* values)
        {
            TVectors.Store(_first, values);
            TVectors.Store(_second, values + TVectors.Count);
        }
    }

    /// <summary>Four neighbouring vectors.</summary>
    private struct Four
    {
        private TVector _first, _second, _third, _fourth;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Four(float* values)
        {
            _first = TVectors.Load(values);
            _second = TVectors.Load(values + TVectors.Count);
            _third = TVectors.Load(values + 2 * TVectors.Count);
            _fourth = TVectors.Load(values + 3 * TVectors.Count);
        }

        /// <summary>Adds the products of a row of k.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(float left, sbyte* fours, int row, bool hasZeroPoints, Four zero)
        {
            TVector x = TVectors.Create(left);
            _first = TVectors.MultiplyAdd(x, Weight(fours, row, hasZeroPoints, zero._first), _first);
            _second = TVectors.MultiplyAdd(x, Weight(fours + 4 * TVectors.Count, row, hasZeroPoints, zero._second), _second);
            _third = TVectors.MultiplyAdd(x, Weight(fours + 8 * TVectors.Count, row, hasZeroPoints, zero._third), _third);
            _fourth = TVectors.MultiplyAdd(x, Weight(fours + 12 * TVectors.Count, row, hasZeroPoints, zero._fourth), _fourth);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void Store(float* values)
        {
            TVectors.Store(_first, values);
            TVectors.Store(_second, values + TVectors.Count);
            TVectors.Store(_third, values + 2 * TVectors.Count);
            TVectors.Store(_fourth, values + 3 * TVectors.Count);
        }
    }
}
