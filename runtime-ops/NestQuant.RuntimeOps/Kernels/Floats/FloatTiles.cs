using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>
/// Products of a few rows with one or two vectors of columns. Each shape keeps 8 to 12 accumulators in registers, enough to hide a
/// multiplication's latency, and reads less than one operand from memory for each; <see cref="FloatKernel.Multiply"/> says what they do.
/// </summary>
/// <typeparam name="TVectors">Operations of the vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
/// <remarks>
/// In bounds: rows beyond the last one are read as that one, and their accumulators belong to the spare rows. The shapes are written out
/// because the compiler keeps local variables in registers, not arrays.
/// </remarks>
internal static unsafe class FloatTiles<TVectors, TVector>
    where TVectors : IFloatVectors<TVector>
    where TVector : struct
{
    /// <summary>Up to six rows with two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply6x2(
        float* left, nint leftStride, int rows, float* right, int length, float* sums, nint sumsStride, bool continues)
    {
        float* left0 = left;
        float* left1 = left + Math.Min(1, rows - 1) * leftStride;
        float* left2 = left + Math.Min(2, rows - 1) * leftStride;
        float* left3 = left + Math.Min(3, rows - 1) * leftStride;
        float* left4 = left + Math.Min(4, rows - 1) * leftStride;
        float* left5 = left + Math.Min(5, rows - 1) * leftStride;
        TVector sum00 = default, sum01 = default;
        TVector sum10 = default, sum11 = default;
        TVector sum20 = default, sum21 = default;
        TVector sum30 = default, sum31 = default;
        TVector sum40 = default, sum41 = default;
        TVector sum50 = default, sum51 = default;
        if (continues)
        {
            sum00 = TVectors.Load(sums);
            sum01 = TVectors.Load(sums + TVectors.Count);
            sum10 = TVectors.Load(sums + sumsStride);
            sum11 = TVectors.Load(sums + sumsStride + TVectors.Count);
            sum20 = TVectors.Load(sums + 2 * sumsStride);
            sum21 = TVectors.Load(sums + 2 * sumsStride + TVectors.Count);
            sum30 = TVectors.Load(sums + 3 * sumsStride);
            sum31 = TVectors.Load(sums + 3 * sumsStride + TVectors.Count);
            sum40 = TVectors.Load(sums + 4 * sumsStride);
            sum41 = TVectors.Load(sums + 4 * sumsStride + TVectors.Count);
            sum50 = TVectors.Load(sums + 5 * sumsStride);
            sum51 = TVectors.Load(sums + 5 * sumsStride + TVectors.Count);
        }

        for (nint k = 0; k < length; k++, right += 2 * TVectors.Count)
        {
            TVector w0 = TVectors.Load(right), w1 = TVectors.Load(right + TVectors.Count);
            TVector x = TVectors.Create(left0[k]);
            sum00 = TVectors.MultiplyAdd(x, w0, sum00);
            sum01 = TVectors.MultiplyAdd(x, w1, sum01);
            x = TVectors.Create(left1[k]);
            sum10 = TVectors.MultiplyAdd(x, w0, sum10);
            sum11 = TVectors.MultiplyAdd(x, w1, sum11);
            x = TVectors.Create(left2[k]);
            sum20 = TVectors.MultiplyAdd(x, w0, sum20);
            sum21 = TVectors.MultiplyAdd(x, w1, sum21);
            x = TVectors.Create(left3[k]);
            sum30 = TVectors.MultiplyAdd(x, w0, sum30);
            sum31 = TVectors.MultiplyAdd(x, w1, sum31);
            x = TVectors.Create(left4[k]);
            sum40 = TVectors.MultiplyAdd(x, w0, sum40);
            sum41 = TVectors.MultiplyAdd(x, w1, sum41);
            x = TVectors.Create(left5[k]);
            sum50 = TVectors.MultiplyAdd(x, w0, sum50);
            sum51 = TVectors.MultiplyAdd(x, w1, sum51);
        }

        TVectors.Store(sum00, sums);
        TVectors.Store(sum01, sums + TVectors.Count);
        TVectors.Store(sum10, sums + sumsStride);
        TVectors.Store(sum11, sums + sumsStride + TVectors.Count);
        TVectors.Store(sum20, sums + 2 * sumsStride);
        TVectors.Store(sum21, sums + 2 * sumsStride + TVectors.Count);
        TVectors.Store(sum30, sums + 3 * sumsStride);
        TVectors.Store(sum31, sums + 3 * sumsStride + TVectors.Count);
        TVectors.Store(sum40, sums + 4 * sumsStride);
        TVectors.Store(sum41, sums + 4 * sumsStride + TVectors.Count);
        TVectors.Store(sum50, sums + 5 * sumsStride);
        TVectors.Store(sum51, sums + 5 * sumsStride + TVectors.Count);
    }

    /// <summary>Up to four rows with two vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4x2(
        float* left, nint leftStride, int rows, float* right, int length, float* sums, nint sumsStride, bool continues)
    {
        float* left0 = left;
        float* left1 = left + Math.Min(1, rows - 1) * leftStride;
        float* left2 = left + Math.Min(2, rows - 1) * leftStride;
        float* left3 = left + Math.Min(3, rows - 1) * leftStride;
        TVector sum00 = default, sum01 = default;
        TVector sum10 = default, sum11 = default;
        TVector sum20 = default, sum21 = default;
        TVector sum30 = default, sum31 = default;
        if (continues)
        {
            sum00 = TVectors.Load(sums);
            sum01 = TVectors.Load(sums + TVectors.Count);
            sum10 = TVectors.Load(sums + sumsStride);
            sum11 = TVectors.Load(sums + sumsStride + TVectors.Count);
            sum20 = TVectors.Load(sums + 2 * sumsStride);
            sum21 = TVectors.Load(sums + 2 * sumsStride + TVectors.Count);
            sum30 = TVectors.Load(sums + 3 * sumsStride);
            sum31 = TVectors.Load(sums + 3 * sumsStride + TVectors.Count);
        }

        for (nint k = 0; k < length; k++, right += 2 * TVectors.Count)
        {
            TVector w0 = TVectors.Load(right), w1 = TVectors.Load(right + TVectors.Count);
            TVector x = TVectors.Create(left0[k]);
            sum00 = TVectors.MultiplyAdd(x, w0, sum00);
            sum01 = TVectors.MultiplyAdd(x, w1, sum01);
            x = TVectors.Create(left1[k]);
            sum10 = TVectors.MultiplyAdd(x, w0, sum10);
            sum11 = TVectors.MultiplyAdd(x, w1, sum11);
            x = TVectors.Create(left2[k]);
            sum20 = TVectors.MultiplyAdd(x, w0, sum20);
            sum21 = TVectors.MultiplyAdd(x, w1, sum21);
            x = TVectors.Create(left3[k]);
            sum30 = TVectors.MultiplyAdd(x, w0, sum30);
            sum31 = TVectors.MultiplyAdd(x, w1, sum31);
        }

        TVectors.Store(sum00, sums);
        TVectors.Store(sum01, sums + TVectors.Count);
        TVectors.Store(sum10, sums + sumsStride);
        TVectors.Store(sum11, sums + sumsStride + TVectors.Count);
        TVectors.Store(sum20, sums + 2 * sumsStride);
        TVectors.Store(sum21, sums + 2 * sumsStride + TVectors.Count);
        TVectors.Store(sum30, sums + 3 * sumsStride);
        TVectors.Store(sum31, sums + 3 * sumsStride + TVectors.Count);
    }

    /// <summary>Up to eight rows with one vector.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply8x1(
        float* left, nint leftStride, int rows, float* right, int length, float* sums, nint sumsStride, bool continues)
    {
        float* left0 = left;
        float* left1 = left + Math.Min(1, rows - 1) * leftStride;
        float* left2 = left + Math.Min(2, rows - 1) * leftStride;
        float* left3 = left + Math.Min(3, rows - 1) * leftStride;
        float* left4 = left + Math.Min(4, rows - 1) * leftStride;
        float* left5 = left + Math.Min(5, rows - 1) * leftStride;
        float* left6 = left + Math.Min(6, rows - 1) * leftStride;
        float* left7 = left + Math.Min(7, rows - 1) * leftStride;
        TVector sum00 = default;
        TVector sum10 = default;
        TVector sum20 = default;
        TVector sum30 = default;
        TVector sum40 = default;
        TVector sum50 = default;
        TVector sum60 = default;
        TVector sum70 = default;
        if (continues)
        {
            sum00 = TVectors.Load(sums);
            sum10 = TVectors.Load(sums + sumsStride);
            sum20 = TVectors.Load(sums + 2 * sumsStride);
            sum30 = TVectors.Load(sums + 3 * sumsStride);
            sum40 = TVectors.Load(sums + 4 * sumsStride);
            sum50 = TVectors.Load(sums + 5 * sumsStride);
            sum60 = TVectors.Load(sums + 6 * sumsStride);
            sum70 = TVectors.Load(sums + 7 * sumsStride);
        }

        for (nint k = 0; k < length; k++, right += 2 * TVectors.Count)
        {
            TVector w0 = TVectors.Load(right);
            TVector x = TVectors.Create(left0[k]);
            sum00 = TVectors.MultiplyAdd(x, w0, sum00);
            x = TVectors.Create(left1[k]);
            sum10 = TVectors.MultiplyAdd(x, w0, sum10);
            x = TVectors.Create(left2[k]);
            sum20 = TVectors.MultiplyAdd(x, w0, sum20);
            x = TVectors.Create(left3[k]);
            sum30 = TVectors.MultiplyAdd(x, w0, sum30);
            x = TVectors.Create(left4[k]);
            sum40 = TVectors.MultiplyAdd(x, w0, sum40);
            x = TVectors.Create(left5[k]);
            sum50 = TVectors.MultiplyAdd(x, w0, sum50);
            x = TVectors.Create(left6[k]);
            sum60 = TVectors.MultiplyAdd(x, w0, sum60);
            x = TVectors.Create(left7[k]);
            sum70 = TVectors.MultiplyAdd(x, w0, sum70);
        }

        TVectors.Store(sum00, sums);
        TVectors.Store(sum10, sums + sumsStride);
        TVectors.Store(sum20, sums + 2 * sumsStride);
        TVectors.Store(sum30, sums + 3 * sumsStride);
        TVectors.Store(sum40, sums + 4 * sumsStride);
        TVectors.Store(sum50, sums + 5 * sumsStride);
        TVectors.Store(sum60, sums + 6 * sumsStride);
        TVectors.Store(sum70, sums + 7 * sumsStride);
    }
}
