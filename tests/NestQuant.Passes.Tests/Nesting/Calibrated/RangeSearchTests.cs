using CsCheck;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Ranges of heavy-tailed weights: what they may cost at full precision, and what they must give below it.</summary>
[Collection(SequentialTests.Name)]
public sealed class RangeSearchTests
{
    private static readonly ParallelOptions OneThread = new() { MaxDegreeOfParallelism = 1 };
    private static readonly int[] Levels = [4, 3];

    [Fact]
    public void NoChannelIsWorseAtFullPrecisionAndAllLevelsTogetherAreBetter() => Cases.Sample(
        static (test, affine) =>
        {
            RangeProblem problem = HeavyTailed(test, affine);
            InputMoments moments = test.Moments();
            ChannelRange[] ranges = RangeSearch.Choose(moments, problem, OneThread);
            for (int m = 0; m < test.Channels; m++)
            {
                var whole = ChannelRange.Of(problem.Units[m], problem.Zeros[m], 1);
                Assert.InRange(ranges[m].Factor, 0.499, 1);
                double[] before = Errors(moments, problem, m, whole), after = Errors(moments, problem, m, ranges[m]);
                Assert.True(after[0] <= before[0] * (1 + 1e-9));
                double Ratio(double[] errors, int level) => before[level] > 0 ? errors[level] / before[level] : 1;
                double Cost(double[] errors) => (2 * Ratio(errors, 0)) + Ratio(errors, 1) + Ratio(errors, 2);
                Assert.True(Cost(after) <= Cost(before) * (1 + 1e-9));
            }
        },
        iter: 50);

    /// <summary>
    /// An outlier whose input hardly varies is clipped, unless that shifts the outputs and no bias makes up for it.
    /// </summary>
    [Fact]
    public void OutliersAreClippedWhereOutputsHardlyDependOnThem()
    {
        const int Length = 256, Rows = 512;
        var random = new Random(5);
        float[] inputs = [.. Enumerable.Range(0, Rows * Length).Select(i => i % Length == 0 ? 20 : random.NextSingle())];
        var problem = new RangeProblem
        {
            Weights = [.. Enumerable.Range(0, Length).Select(k => k == 0 ? 2 : random.NextSingle() - 0.5f)],
            Units = [2.0 / 127],
            Zeros = [0],
            Bits = 8,
            CorrectsMean = true,
            Levels = [3],
        };

        ChannelRange Choose(RangeProblem problem)
        {
            var moments = new InputMoments(Length);
            moments.Add(inputs, inputs, Rows, OneThread);
            return Assert.Single(RangeSearch.Choose(moments, problem, OneThread));
        }

        Assert.InRange(Choose(problem).Factor, 0, 0.99);
        Assert.Equal(1, Choose(problem with { CorrectsMean = false }).Factor);
    }

    [Fact]
    public void TheNumberOfThreadsChangesNoBit()
    {
        var test = new CalibrationCase(Channels: 20, Length: 150, Rows: 300, Bits: 4, FitsScale: true, Seed: 3) { MaxBlock = 80 };
        RangeProblem problem = HeavyTailed(test, affine: true);
        Assert.Equal(
            RangeSearch.Choose(test.Moments(), problem, OneThread),
            RangeSearch.Choose(test.Moments(2), problem, new ParallelOptions { MaxDegreeOfParallelism = 2 }));
    }

    [Fact]
    public void ARangeKeepsItsMiddleAndZeroItsPlace()
    {
        for (double factor = 0.5; factor <= 1; factor += 0.02)
        {
            Assert.Equal(0, ChannelRange.Of(0.1, 0, factor).Zero);
            ChannelRange range = ChannelRange.Of(0.1, -700, factor);
            Assert.Equal((-0.5 + 700) * 0.1, (-0.5 - range.Zero) * range.Unit, range.Unit);
        }
    }

    [Fact]
    public void WeightsOnTheGridKeepTheirRange()
    {
        var moments = new InputMoments(4);
        moments.Add([1, 2, 3, 4, 5, 6, 7, 9], [1, 2, 3, 4, 5, 6, 7, 9], 2, OneThread);
        var problem = new RangeProblem
        {
            Weights = [127, -3, 5, 8, 0, 0, 0, 0],
            Units = [1, 1e-10],
            Zeros = [0, 0],
            Bits = 8,
            CorrectsMean = false,
            Levels = [6],
        };
        Assert.All(RangeSearch.Choose(moments, problem, OneThread), static range => Assert.Equal(1, range.Factor));
        Assert.Throws<ArgumentException>(() => RangeSearch.Choose(moments, problem with { Zeros = [] }, OneThread));
    }

    // The error of a single weight is nothing but rounding errors.
    private static Gen<(CalibrationCase Test, bool Affine)> Cases =>
        Gen.Select(CalibrationCase.Any.Where(static test => test.Length > 1), Gen.Bool);

    /// <summary>Cubes of uniform weights, with the 8-bit grid that holds all of them.</summary>
    private static RangeProblem HeavyTailed(CalibrationCase test, bool affine)
    {
        float[] weights = Array.ConvertAll(test.Problem().Weights, weight => (weight * weight * weight) + (affine ? 0.3f : 0));
        var units = new double[test.Channels];
        var zeros = new double[test.Channels];
        for (int m = 0; m < test.Channels; m++)
        {
            float[] channel = weights[(m * test.Length)..((m + 1) * test.Length)];
            double min = channel.Min(), max = channel.Max();
            units[m] = affine ? Math.Max(max - min, 1e-8) / 255 : Math.Max(Math.Abs(min), Math.Abs(max)) / 127;
            zeros[m] = affine ? -Math.Round(min / units[m]) - 128 : 0;
        }

        return new RangeProblem { Weights = weights, Units = units, Zeros = zeros, Bits = 8, CorrectsMean = true, Levels = Levels };
    }

    /// <summary>The errors of full precision and of each level, as written.</summary>
    private static double[] Errors(InputMoments moments, RangeProblem problem, int channel, ChannelRange range)
    {
        ReadOnlySpan<float> weights = problem.Weights.AsSpan(channel * moments.Length, moments.Length);
        double[] w = [.. weights.ToArray().Select(static weight => (double)weight)];
        double[] full = [.. w.Select(weight => Math.Clamp(Math.Round((weight / range.Unit) + range.Zero), -128, 127))];
        double[] errors = [Error(moments, w, [.. full.Select(integer => (integer - range.Zero) * range.Unit)], fits: false), 0, 0];
        for (int i = 0; i < Levels.Length; i++)
        {
            int step = 1 << (8 - Levels[i]), half = 1 << (Levels[i] - 1);
            double Value(double integer) => (Math.Clamp(Math.Round(integer / step), -half, half - 1) * step) - range.Zero;
            errors[i + 1] = Error(moments, w, [.. full.Select(Value)], fits: true);
        }

        return errors;
    }

    private static double Error(InputMoments moments, double[] weights, double[] values, bool fits)
    {
        double withWeights = Product(moments, weights, values);
        double alpha = !fits ? 1 : withWeights > 0 ? withWeights / Product(moments, values, values) : 0;
        double[] difference = [.. weights.Zip(values, (weight, value) => weight - (alpha * value))];
        return Product(moments, difference, difference);
    }

    private static double Product(InputMoments moments, double[] left, double[] right)
    {
        IReadOnlyList<MomentBlock> blocks = moments.Complete(OneThread);
        double lambda = Objective.LambdaOf(moments, blocks), sum = 0;
        foreach (MomentBlock block in blocks)
        {
            for (int i = 0; i < block.Length; i++)
            {
                sum += lambda * left[block.Start + i] * right[block.Start + i];
                for (int j = 0; j < block.Length; j++) sum += left[block.Start + i] * block.Covariance[i, j] * right[block.Start + j];
            }
        }

        return sum;
    }
}
