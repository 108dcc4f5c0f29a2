using NestQuant.Passes.LinearAlgebra;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>(h - y) C_r (h - y)^T as written, with alpha = 1, summed over the blocks of inputs.</summary>
internal sealed class LiteralObjective
{
    private static readonly ParallelOptions OneThread = new() { MaxDegreeOfParallelism = 1 };

    private readonly RoundingProblem _problem;
    private readonly int _length;
    private readonly IReadOnlyList<Objective> _blocks;
    private readonly double[] _target;

    public LiteralObjective(InputMoments moments, RoundingProblem problem)
    {
        (_problem, _length, _blocks) = (problem, moments.Length, Objective.Of(moments, OneThread));
        _target = new double[problem.Channels * _length];
        foreach (Objective objective in _blocks) SolveTarget(objective);
    }

    /// <summary>y.</summary>
    public double Exact(int channel, int index) =>
        (_target[(channel * _length) + index] / _problem.Units[channel]) + _problem.Zeros[channel];

    /// <summary>The objective of one channel, and what rounding errors and the descent's threshold may change of it.</summary>
    public double Of(int channel, ReadOnlySpan<sbyte> integers, out double tolerance)
    {
        double sum = 0, trace = 0;
        double[] errors = [.. integers.Slice(channel * _length, _length).ToArray().Select((h, i) => h - Exact(channel, i))];
        foreach (Objective objective in _blocks)
        {
            MomentBlock block = objective.Block;
            for (int i = 0; i < block.Length; i++)
            {
                trace += Regularised(block.Covariance, i, i, objective);
                for (int j = 0; j < block.Length; j++)
                    sum += errors[block.Start + i] * Regularised(block.Covariance, i, j, objective) * errors[block.Start + j];
            }
        }

        tolerance = (1e-8 * trace / _length) + (1e-10 * sum);
        return sum;
    }

    private static double Regularised(Matrix moments, int row, int column, Objective objective) =>
        moments[row, column] + (row == column ? objective.Lambda : 0);

    private void SolveTarget(Objective objective)
    {
        MomentBlock block = objective.Block;
        var target = new Matrix(block.Length, _problem.Channels);
        for (int m = 0; m < _problem.Channels; m++)
        {
            for (int i = 0; i < block.Length; i++)
            {
                for (int k = 0; k < block.Length; k++)
                    target[i, m] += _problem.Weights[(m * _length) + block.Start + k] * Regularised(block.CrossCovariance, k, i, objective);
            }
        }

        objective.Factor.Solve(target, OneThread);
        for (int m = 0; m < _problem.Channels; m++)
            for (int i = 0; i < block.Length; i++) _target[(m * _length) + block.Start + i] = target[i, m];
    }
}
