using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NestQuant.Passes.LinearAlgebra;

/// <summary>Dot products whose order of additions is the same on every machine, so that results are too.</summary>
internal static class FixedOrderDot
{
    /// <summary>The product of two vectors of one length.</summary>
    public static double Of(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        ReadOnlySpan<Vector256<double>> a = MemoryMarshal.Cast<double,
            Vector256<double>>(left),
            b = MemoryMarshal.Cast<double,
            Vector256<double>>(right);
        Vector256<double> accumulators = Vector256<double>.Zero;
        for (int i = 0; i < a.Length; i++) accumulators += a[i] * b[i];
        double rest = 0;
        for (int i = a.Length * Vector256<double>.Count; i < left.Length; i++) rest += left[i] * right[i];
        return Sum(accumulators) + rest;
    }

    /// <summary>Adds to each of <paramref name="accumulators"/> the product of a vector and one row of a matrix.</summary>
    /// <param name="vector">The vector; its length is a multiple of 4.</param>
    /// <param name="rows">Rows of that length, one after the other, one for each accumulator.</param>
    /// <param name="accumulators">The accumulators.</param>
    public static void AddRows(ReadOnlySpan<double> vector, ReadOnlySpan<double> rows, Span<double> accumulators)
    {
        int length = vector.Length, row = 0;
        ReadOnlySpan<Vector256<double>> x = MemoryMarshal.Cast<double, Vector256<double>>(vector);
        // Four chains of additions at a time hide the latency of one, and share the loads of the vector.
        for (; row + 4 <= accumulators.Length; row += 4)
        {
            ReadOnlySpan<Vector256<double>> a = Row(rows, row, length)[..x.Length], b = Row(rows, row + 1, length)[..x.Length];
            ReadOnlySpan<Vector256<double>> c = Row(rows, row + 2, length)[..x.Length], d = Row(rows, row + 3, length)[..x.Length];
            Vector256<double> sumA = Vector256<double>.Zero, sumB = sumA, sumC = sumA, sumD = sumA;
            for (int i = 0; i < x.Length; i++)
            {
                Vector256<double> value = x[i];
                sumA += value * a[i];
                sumB += value * b[i];
                sumC += value * c[i];
                sumD += value * d[i];
            }

            accumulators[row] += Sum(sumA);
            accumulators[row + 1] += Sum(sumB);
            accumulators[row + 2] += Sum(sumC);
            accumulators[row + 3] += Sum(sumD);
        }

        for (; row < accumulators.Length; row++) accumulators[row] += Of(vector, rows.Slice(row * length, length));
    }

    private static ReadOnlySpan<Vector256<double>> Row(ReadOnlySpan<double> rows, int index, int length) =>
        MemoryMarshal.Cast<double, Vector256<double>>(rows.Slice(index * length, length));

    private static double Sum(Vector256<double> values) => values[0] + values[1] + values[2] + values[3];
}
