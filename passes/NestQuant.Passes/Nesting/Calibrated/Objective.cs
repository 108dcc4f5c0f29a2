using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>The regularised covariance C_r = C + lambda I of one block of inputs, by which rounding errors are measured.</summary>
internal sealed class Objective
{
    /// <summary>lambda of inputs that never vary: the weights are then rounded to nearest.</summary>
    private const double LeastLambda = 1e-10;

    private Objective(MomentBlock block, double lambda, Cholesky factor)
    {
        (Block, Lambda, Factor) = (block, lambda, factor);
        Descent = new CoordinateDescent(block.Covariance, lambda);
    }

    /// <summary>C and the other moments.</summary>
    public MomentBlock Block { get; }

    /// <summary>lambda, the same for all blocks of a layer.</summary>
    public double Lambda { get; }

    /// <summary>Factor of C_r.</summary>
    public Cholesky Factor { get; }

    /// <summary>Rounding by C_r.</summary>
    public CoordinateDescent Descent { get; }

    /// <summary>The objectives of all blocks of a layer.</summary>
    public static IReadOnlyList<Objective> Of(InputMoments moments, ParallelOptions parallel)
    {
        IReadOnlyList<MomentBlock> blocks = moments.Complete(parallel);
        double lambda = LambdaOf(moments, blocks);

        // A covariance is positive semidefinite, so the first factorisation fails only by rounding errors.
        for (; ; lambda *= 10)
            if (TryWith(lambda, blocks, parallel) is { } objectives) return objectives;
    }

    /// <summary>lambda for the covariances of a layer.</summary>
    /// <param name="moments">The moments.</param>
    /// <param name="blocks">Their blocks, complete.</param>
    public static double LambdaOf(InputMoments moments, IReadOnlyList<MomentBlock> blocks)
    {
        double trace = 0;
        int length = 0;
        foreach (MomentBlock block in blocks)
        {
            for (int i = 0; i < block.Length; i++) trace += block.Covariance[i, i];
            length += block.Length;
        }

        return (moments.Ridge * trace / length) + LeastLambda;
    }

    private static List<Objective>? TryWith(double lambda, IReadOnlyList<MomentBlock> blocks, ParallelOptions parallel)
    {
        var objectives = new List<Objective>(blocks.Count);
        foreach (MomentBlock block in blocks)
        {
            var regularised = new Matrix(block.Length, block.Length);
            for (int i = 0; i < block.Length; i++)
            {
                block.Covariance.Row(i)[..(i + 1)].CopyTo(regularised.Row(i));
                regularised[i, i] += lambda;
            }

            if (Cholesky.Factorise(regularised, parallel) is not { } factor) return null;
            objectives.Add(new Objective(block, lambda, factor));
        }

        return objectives;
    }
}
