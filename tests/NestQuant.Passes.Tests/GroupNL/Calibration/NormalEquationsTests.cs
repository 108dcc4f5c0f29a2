using NestQuant.Passes.GroupNL.Calibration;

namespace NestQuant.Passes.Tests.GroupNL.Calibration;

/// <summary>The streamed regression is the one that a dense solve of all samples at once gives.</summary>
public sealed class NormalEquationsTests
{
    [Theory]
    [InlineData(1, 1, 5, 0)]
    [InlineData(7, 3, 256, 0.01)]
    [InlineData(13, 5, 700, 1e-3)]
    [InlineData(40, 2, 513, 10)]
    public void SolutionsAndErrorsAreThoseOfADirectSolve(int features, int outputs, int samples, double ridge)
    {
        (double[][] x, double[][] y) = Samples(features, outputs, samples);
        NormalEquations equations = Streamed(x, y, threads: 1);
        float[][] solution = equations.Solve(ridge)!;
        Assert.Equal(samples, equations.Samples);

        double lambda = ridge * Enumerable.Range(0, features).Average(i => x.Sum(row => row[i] * row[i]));
        for (int output = 0; output < outputs; output++)
        {
            double[] expected = Direct(x, [.. y.Select(row => row[output])], lambda);
            for (int i = 0; i <= features; i++) Assert.Equal(expected[i], solution[output][i], 1e-5);
        }

        double error = x.Zip(y, (row, target) => target.Select((value, m) => Math.Pow(Output(row, solution[m]) - value, 2)).Sum()).Sum();
        Assert.Equal(
            Math.Sqrt(error / y.Sum(static row => row.Sum(static value => value * value))), equations.RelativeError(solution), 1e-9);
    }

    [Fact]
    public void TheNumberOfThreadsChangesNoBit()
    {
        (double[][] x, double[][] y) = Samples(37, 11, 900);
        float[][] one = Streamed(x, y, threads: 1).Solve(1e-3)!, three = Streamed(x, y, threads: 3).Solve(1e-3)!;
        Assert.Equal(one, three);
    }

    [Fact]
    public void DependentFeaturesNeedRegularisation()
    {
        (double[][] x, double[][] y) = Samples(4, 1, 300);
        foreach (double[] row in x) row[3] = (2 * row[0]) - row[1];
        NormalEquations equations = Streamed(x, y, threads: 1);
        Assert.Null(equations.Solve(0));
        Assert.NotNull(equations.Solve(1e-6));
    }

    [Fact]
    public void FeaturesThatAreNotFiniteHaveNoSolution()
    {
        (double[][] x, double[][] y) = Samples(3, 1, 20);
        x[7][1] = double.NaN;
        Assert.Null(Streamed(x, y, threads: 1).Solve(1));
    }

    private static NormalEquations Streamed(double[][] x, double[][] y, int threads)
    {
        var equations = new NormalEquations(x[0].Length, y[0].Length, threads);
        for (int first = 0; first < x.Length; first += NormalEquations.TileSamples)
        {
            int samples = Math.Min(NormalEquations.TileSamples, x.Length - first);
            for (int i = 0; i < samples; i++)
            {
                for (int f = 0; f < x[0].Length; f++) equations.FeatureRow(f)[i] = x[first + i][f];
                for (int m = 0; m < y[0].Length; m++) equations.OutputRow(m)[i] = y[first + i][m];
            }

            equations.Add(samples);
        }

        return equations;
    }

    private static (double[][] X, double[][] Y) Samples(int features, int outputs, int samples)
    {
        var random = new Random(3);
        double[] Row(int length) => [.. Enumerable.Range(0, length).Select(_ => (random.NextDouble() * 4) - 1)];
        return ([.. Enumerable.Range(0, samples).Select(_ => Row(features))], [.. Enumerable.Range(0, samples).Select(_ => Row(outputs))]);
    }

    private static double Output(double[] row, float[] weights) => row.Select((value, i) => value * weights[i]).Sum() + weights[^1];

    /// <summary>Gaussian elimination with row pivoting on the normal equations of all samples.</summary>
    private static double[] Direct(double[][] x, double[] y, double lambda)
    {
        double[][] wide = Array.ConvertAll(x, static row => row.Append(1).ToArray());
        int n = wide[0].Length;
        double[][] a =
        [
            .. Enumerable.Range(0, n).Select(
                i =>
                    Enumerable.Range(0, n)
                        .Select(j => wide.Sum(row => row[i] * row[j]) + (i == j && i < n - 1 ? lambda : 0))
                        .Append(wide.Zip(y, (row, value) => row[i] * value).Sum())
                        .ToArray())
        ];
        for (int i = 0; i < n; i++)
        {
            int pivot = Enumerable.Range(i, n - i).MaxBy(row => Math.Abs(a[row][i]));
            (a[i], a[pivot]) = (a[pivot], a[i]);
            for (int row = 0; row < n; row++)
            {
                if (row == i) continue;
                double factor = a[row][i] / a[i][i];
                for (int j = i; j <= n; j++) a[row][j] -= factor * a[i][j];
            }
        }

        return [.. Enumerable.Range(0, n).Select(i => a[i][n] / a[i][i])];
    }
}
