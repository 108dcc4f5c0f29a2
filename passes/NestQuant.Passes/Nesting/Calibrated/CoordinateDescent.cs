using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>
/// Coordinate descent on (h - y) C_r (h - y)^T with C_r = C + lambda I, where each integer of h is one of two: single flips, the largest
/// gain first, among equals the lowest index, until none gains anything.
/// </summary>
internal sealed class CoordinateDescent
{
    /// <summary>A gain below this share of the mean of C_r's diagonal is none.</summary>
    private const double Negligible = 1e-9;

    private readonly Matrix _covariance;
    private readonly double _lambda;
    private readonly double[] _diagonal;
    private readonly double _threshold;

    /// <summary>Prepares the objective.</summary>
    /// <param name="covariance">C.</param>
    /// <param name="lambda">lambda.</param>
    public CoordinateDescent(Matrix covariance, double lambda)
    {
        (_covariance, _lambda) = (covariance, lambda);
        _diagonal = new double[covariance.Stride];
        double sum = 0;
        for (int i = 0; i < covariance.Rows; i++) sum += _diagonal[i] = covariance[i, i] + lambda;
        _threshold = -Negligible * sum / covariance.Rows;
    }

    /// <summary>Rounds one channel.</summary>
    /// <param name="gradient">(h - y) C_r at the start; at the end that of the result.</param>
    /// <param name="floors">The lower integer of each pair.</param>
    /// <param name="largest">No integer is larger.</param>
    /// <param name="integers">h at the start; the result.</param>
    public void Run(Span<double> gradient, ReadOnlySpan<sbyte> floors, int largest, Span<sbyte> integers)
    {
        var directions = new double[_diagonal.Length];
        for (int i = 0; i < integers.Length; i++)
            directions[i] = floors[i] >= largest ? 0 : integers[i] == floors[i] ? 1 : -1;

        // The objective falls with every flip, so the descent ends; the limit is for rounding errors that say otherwise.
        int flips = (4 * integers.Length) + 64;
        (double change, int best) = Move(gradient, 0, 0, directions);
        for (; change < _threshold && flips > 0; flips--)
        {
            double step = directions[best];
            integers[best] += (sbyte)step;
            directions[best] = -step;
            gradient[best] += step * _lambda;
            (change, best) = Move(gradient, best, step, directions);
        }
    }

    /// <summary>
    /// Adds a step along one row of C to the gradient, and finds the flip that then lowers the objective most. In one pass, because the
    /// time is that of reading memory.
    /// </summary>
    private (double Change, int Index) Move(Span<double> gradient, int row, double step, ReadOnlySpan<double> directions)
    {
        Span<Vector256<double>> gradients = MemoryMarshal.Cast<double, Vector256<double>>(gradient);
        ReadOnlySpan<Vector256<double>> rows = Vectors(_covariance.Row(row))[..gradients.Length];
        ReadOnlySpan<Vector256<double>> diagonals = Vectors(_diagonal)[..gradients.Length];
        ReadOnlySpan<Vector256<double>> signs = Vectors(directions)[..gradients.Length];
        Vector256<double> steps = Vector256.Create(step), least = Vector256.Create(double.PositiveInfinity);
        Vector256<long> leastIndex = Vector256<long>.Zero, index = Vector256<long>.Indices;
        for (int i = 0; i < gradients.Length; i++)
        {
            Vector256<double> moved = Vector256.FusedMultiplyAdd(steps, rows[i], gradients[i]);
            gradients[i] = moved;
            Vector256<double> change = Vector256.FusedMultiplyAdd(signs[i] + signs[i], moved, diagonals[i]);
            Vector256<double> less = Vector256.LessThan(change, least);
            least = Vector256.ConditionalSelect(less, change, least);
            leastIndex = Vector256.ConditionalSelect(less.AsInt64(), index, leastIndex);
            index += Vector256.Create((long)Vector256<double>.Count);
        }

        (double Change, int Index) best = (double.PositiveInfinity, int.MaxValue);
        for (int lane = 0; lane < Vector256<double>.Count; lane++)
        {
            (double Change, int Index) candidate = (least[lane], (int)leastIndex[lane]);
            if (candidate.CompareTo(best) < 0) best = candidate;
        }

        return best;
    }

    private static ReadOnlySpan<Vector256<double>> Vectors(ReadOnlySpan<double> values) =>
        MemoryMarshal.Cast<double, Vector256<double>>(values);
}
