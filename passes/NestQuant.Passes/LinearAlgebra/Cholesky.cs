using System.Numerics.Tensors;

namespace NestQuant.Passes.LinearAlgebra;

/// <summary>
/// Factor L of a symmetric positive definite matrix A = L L^T, in float64. Block after block of columns, each subtracted from all that
/// follow: most of the time is spent in <see cref="PanelProduct"/>.
/// </summary>
internal sealed class Cholesky
{
    /// <summary>A pivot below this share of its diagonal element is a rounding error: the matrix is singular.</summary>
    private const double Negligible = 1e-14;

    /// <summary>Columns of a block: a multiple of <see cref="Panels.Width"/>, at most <see cref="Panels.MaxRows"/>.</summary>
    private const int Block = 64;

    private readonly Matrix _factor;

    private Cholesky(Matrix factor) => _factor = factor;

    /// <summary>Factorises a matrix.</summary>
    /// <param name="lower">The lower triangle of A, which that of L replaces; what is above the diagonal is not read, and lost.</param>
    /// <param name="parallel">Threads.</param>
    /// <returns>The factor; null when A is not positive definite, or not finite.</returns>
    public static Cholesky? Factorise(Matrix lower, ParallelOptions parallel)
    {
        int n = lower.Rows;
        var least = new double[n];
        for (int i = 0; i < n; i++) least[i] = lower[i, i] * Negligible;
        for (int first = 0; first < n; first += Block)
        {
            int next = Math.Min(first + Block, n), start = first;
            for (int i = first; i < next; i++)
            {
                Eliminate(lower, i, start, i);
                Span<double> row = lower.Row(i)[start..i];
                double pivot = lower[i, i] - FixedOrderDot.Of(row, row);
                // The comparison is false for NaN, so that a NaN pivot fails too.
                if (!(pivot > least[i]) || !double.IsFinite(pivot)) return null;
                lower[i, i] = Math.Sqrt(pivot);
            }

            if (next == n) break;
            FixedOrderParallel.For(n - next, parallel, i => Eliminate(lower, next + i, start, next));
            using var left = new Panels(n - next, Block);
            using var right = new Panels(n - next, Block);
            left.PackColumns(lower, next, first, Block, negated: true);
            right.PackColumns(lower, next, first, Block);
            PanelProduct.Add(left, right, lower, next, next, lower: true, parallel);
        }

        return new Cholesky(lower);
    }

    /// <summary>Solves A X = B in place: each column of the matrix is one right side.</summary>
    public void Solve(Matrix values, ParallelOptions parallel)
    {
        int n = _factor.Rows;
        using var right = new Panels(values.Columns, Block);
        for (int first = 0; first < n; first += Block)
        {
            int next = Math.Min(first + Block, n);
            for (int i = first; i < next; i++)
            {
                for (int j = first; j < i; j++) Subtract(values, j, _factor[i, j], i);
                Divide(values.Row(i), _factor[i, i]);
            }

            if (next == n) break;
            using var left = new Panels(n - next, Block);
            left.PackColumns(_factor, next, first, Block, negated: true);
            right.PackRows(values, first, Block);
            PanelProduct.Add(left, right, values, next, 0, lower: false, parallel);
        }

        for (int first = (n - 1) / Block * Block; first >= 0; first -= Block)
        {
            int next = Math.Min(first + Block, n);
            for (int i = next - 1; i >= first; i--)
            {
                Divide(values.Row(i), _factor[i, i]);
                for (int j = first; j < i; j++) Subtract(values, i, _factor[i, j], j);
            }

            if (first == 0) break;
            using var left = new Panels(first, Block);
            left.PackRows(_factor, first, next - first, negated: true);
            right.PackRows(values, first, next - first);
            PanelProduct.Add(left, right, values, 0, 0, lower: false, parallel);
        }
    }

    /// <summary>Elements start to end of a row of L, given all rows of L above it in the block.</summary>
    private static void Eliminate(Matrix lower, int index, int start, int end)
    {
        Span<double> row = lower.Row(index)[start..end];
        for (int j = 0; j < row.Length; j++)
        {
            ReadOnlySpan<double> above = lower.Row(start + j)[start..];
            row[j] = (row[j] - FixedOrderDot.Of(row[..j], above[..j])) / above[j];
        }
    }

    private static void Divide(Span<double> row, double divisor) => TensorPrimitives.Divide(row, divisor, row);

    private static void Subtract(Matrix values, int row, double factor, int target) =>
        TensorPrimitives.FusedMultiplyAdd(values.Row(row), -factor, values.Row(target), values.Row(target));
}
