using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Sums in float64 whose order of additions is fixed (four interleaved partial sums), so that they are the same on every machine
/// whatever its vector width, which a library's sums are not.
/// </summary>
internal static class FixedOrderSum
{
    /// <summary>Sum of the values.</summary>
    public static double Of(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<Vector128<float>> vectors = MemoryMarshal.Cast<float, Vector128<float>>(values);
        Vector256<double> sums = Vector256<double>.Zero;
        foreach (Vector128<float> vector in vectors) sums += Widen(vector);
        double rest = 0;
        foreach (float value in values[(vectors.Length * Vector128<float>.Count)..]) rest += value;
        return Total(sums) + rest;
    }

    /// <summary>Sum of the squares of the values, each squared in float64.</summary>
    public static double OfSquares(ReadOnlySpan<float> values)
    {
        ReadOnlySpan<Vector128<float>> vectors = MemoryMarshal.Cast<float, Vector128<float>>(values);
        Vector256<double> sums = Vector256<double>.Zero;
        foreach (Vector128<float> vector in vectors)
        {
            Vector256<double> wide = Widen(vector);
            sums += wide * wide;
        }

        double rest = 0;
        foreach (float value in values[(vectors.Length * Vector128<float>.Count)..]) rest += (double)value * value;
        return Total(sums) + rest;
    }

    private static Vector256<double> Widen(Vector128<float> vector)
    {
        (Vector128<double> lower, Vector128<double> upper) = Vector128.Widen(vector);
        return Vector256.Create(lower, upper);
    }

    private static double Total(Vector256<double> sums) => sums[0] + sums[1] + (sums[2] + sums[3]);
}
