using CsCheck;
using NestQuant.Passes.LinearAlgebra;

namespace NestQuant.Passes.Tests.LinearAlgebra;

/// <summary>Factorisation and solution, with fewer and more columns than a block has.</summary>
public sealed class CholeskyTests
{
    private static readonly ParallelOptions OneThread = new() { MaxDegreeOfParallelism = 1 };

    /// <summary>A = B B^T + I is positive definite: the solution of A X = Y, multiplied by A, is Y.</summary>
    [Fact]
    public void SolvesPositiveDefiniteSystems() =>
        Gen.Select(Gen.Int[1, 200], Gen.Int[1, 20], Gen.Int[0, 1000]).Sample(
            static (n, sides, seed) =>
            {
                Matrix b = RandomMatrix.Of(n, n, seed), right = RandomMatrix.Of(n, sides, seed + 1);
                Matrix a = PanelProduct.Of(b, b.Transposed(), OneThread), lower = PanelProduct.Of(b, b.Transposed(), OneThread);
                for (int i = 0; i < n; i++) lower[i, i] = ++a[i, i];
                Matrix solution = right.Transposed().Transposed();
                Cholesky.Factorise(lower, OneThread)!.Solve(solution, OneThread);
                Matrix product = PanelProduct.Of(a, solution, OneThread);
                for (int i = 0; i < n; i++)
                    for (int j = 0; j < sides; j++) Assert.Equal(right[i, j], product[i, j], 1e-8);
            },
            iter: 50);

    [Fact]
    public void TheNumberOfThreadsChangesNoBit()
    {
        Matrix b = RandomMatrix.Of(300, 400, 5);
        double[] Solve(int threads)
        {
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = threads };
            Matrix right = RandomMatrix.Of(300, 30, 6);
            Cholesky.Factorise(PanelProduct.Of(b, b.Transposed(), parallel), parallel)!.Solve(right, parallel);
            return right.From(0, 0).ToArray();
        }

        Assert.Equal(Solve(1), Solve(3));
    }

    [Fact]
    public void RefusesWhatIsNotPositiveDefinite()
    {
        Assert.Null(Factorise([[1], [2, 1]]));
        Assert.Null(Factorise([[0.0]]));
        Assert.Null(Factorise([[double.NaN]]));
        Assert.NotNull(Factorise([[1], [0.5, 1]]));
    }

    private static Cholesky? Factorise(double[][] rows)
    {
        var lower = new Matrix(rows.Length, rows.Length);
        for (int i = 0; i < rows.Length; i++) rows[i].CopyTo(lower.Row(i));
        return Cholesky.Factorise(lower, OneThread);
    }
}
