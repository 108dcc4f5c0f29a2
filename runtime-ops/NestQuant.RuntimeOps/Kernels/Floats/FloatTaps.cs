using System.Runtime.CompilerServices;

namespace NestQuant.RuntimeOps.Kernels.Floats;

/// <summary>
/// Outputs of one channel that have no sum over other channels (depthwise), four vectors at a time, of one line or of several; see
/// <see cref="FloatKernel.MultiplyTaps"/>.
/// </summary>
/// <typeparam name="TVectors">Operations of the vectors.</typeparam>
/// <typeparam name="TVector">The vector.</typeparam>
internal static unsafe class FloatTaps<TVectors, TVector>
    where TVectors : IFloatVectors<TVector>
    where TVector : struct
{
    private const int Step = 4;

    /// <summary>See <see cref="FloatKernel.MultiplyTaps"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        float* source, nint lineStride, int lines, int columns, nint* offsets, int taps, float* weights, float* sums)
    {
        // In bounds: the last vector of a line reads and writes less than a vector beyond it. What it writes there is overwritten by the
        // next line, or is spare.
        Position at = new() { Source = source, Sums = sums };
        long left = (long)lines * ((columns - 1) / TVectors.Count + 1);
        for (; left > 0; left -= Step)
        {
            // Missing vectors repeat the last one.
            Position p0 = at, p1 = p0, p2 = p0, p3 = p0;
            if (left > 1)
                p1 = p2 = p3 = p0.Next(columns, lineStride);
            if (left > 2)
                p2 = p3 = p1.Next(columns, lineStride);
            if (left > 3)
                p3 = p2.Next(columns, lineStride);
            at = p3.Next(columns, lineStride);

            float* x0 = p0.Source + p0.Column, x1 = p1.Source + p1.Column, x2 = p2.Source + p2.Column, x3 = p3.Source + p3.Column;
            TVector sum0 = default, sum1 = default, sum2 = default, sum3 = default;
            for (int tap = 0; tap < taps; tap++)
            {
                nint offset = offsets[tap];
                TVector weight = TVectors.Create(weights[tap]);
                sum0 = TVectors.MultiplyAdd(TVectors.Load(x0 + offset), weight, sum0);
                sum1 = TVectors.MultiplyAdd(TVectors.Load(x1 + offset), weight, sum1);
                sum2 = TVectors.MultiplyAdd(TVectors.Load(x2 + offset), weight, sum2);
                sum3 = TVectors.MultiplyAdd(TVectors.Load(x3 + offset), weight, sum3);
            }

            TVectors.Store(sum0, p0.Sums + p0.Column);
            TVectors.Store(sum1, p1.Sums + p1.Column);
            TVectors.Store(sum2, p2.Sums + p2.Column);
            TVectors.Store(sum3, p3.Sums + p3.Column);
        }
    }

    /// <summary>A vector of outputs: its line's start, and its column.</summary>
    private struct Position
    {
        public float* Source;
        public float* Sums;
        public int Column;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly Position Next(int columns, nint lineStride)
        {
            Position next = this;
            next.Column += TVectors.Count;
            if (next.Column >= columns)
            {
                next.Column = 0;
                next.Source += lineStride;
                next.Sums += columns;
            }

            return next;
        }
    }
}
