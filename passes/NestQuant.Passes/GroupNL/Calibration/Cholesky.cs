using NestQuant.Passes.GroupNL.Expansion;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>Factor L of a symmetric positive definite matrix A = L L^T, in float64.</summary>
internal sealed class Cholesky
{
    /// <summary>A pivot below this share of its diagonal element is a rounding error: the matrix is singular.</summary>
    private const double Negligible = 1e-14;

    private readonly double[][] _rows;

    private Cholesky(double[][] rows) => _rows = rows;

    /// <summary>Factorises a matrix.</summary>
    /// <param name="lower">Row i holds the first i + 1 elements of row i of A; overwritten by those of L.</param>
    /// <returns>The factor; null when A is not positive definite, or not finite.</returns>
    public static Cholesky? Factorise(double[][] lower)
    {
        for (int i = 0; i < lower.Length; i++)
        {
            double[] row = lower[i];
            for (int j = 0; j < i; j++) row[j] = (row[j] - FixedOrderDot.Of(row.AsSpan(0, j), lower[j].AsSpan(0, j))) / lower[j][j];
            double pivot = row[i] - FixedOrderDot.Of(row.AsSpan(0, i), row.AsSpan(0, i));
            // The comparison is false for NaN, so that a NaN pivot fails too.
            if (!(pivot > row[i] * Negligible) || !double.IsFinite(pivot)) return null;
            row[i] = Math.Sqrt(pivot);
        }

        return new Cholesky(lower);
    }

    /// <summary>Solves A x = b in place.</summary>
    public void Solve(Span<double> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = (values[i] - FixedOrderDot.Of(_rows[i].AsSpan(0, i), values[..i])) / _rows[i][i];
        for (int i = values.Length - 1; i >= 0; i--)
        {
            values[i] /= _rows[i][i];
            for (int j = 0; j < i; j++) values[j] -= _rows[i][j] * values[i];
        }
    }
}
