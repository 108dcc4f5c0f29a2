using CsCheck;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>What holds of calibrated rounding whatever the weights and the inputs.</summary>
[Collection(SequentialTests.Name)]
public sealed class CalibratedRoundingTests
{
    private static readonly ParallelOptions OneThread = new() { MaxDegreeOfParallelism = 1 };

    [Fact]
    public void IntegersAreInTheirPairsAndFactorsInTheirBounds() => CalibrationCase.Any.Sample(
        static test =>
        {
            RoundingProblem problem = test.Problem();
            InputMoments moments = test.Moments();
            RoundingResult result = CalibratedRounding.Round(moments, problem, OneThread);
            for (int i = 0; i < result.Integers.Length; i++)
                Assert.InRange(result.Integers[i], problem.Floors[i], Math.Min(problem.Floors[i] + 1, problem.Largest));
            foreach (double factor in result.ScaleFactors)
            {
                if (test.FitsScale) Assert.InRange(factor, 0.25, 4);
                else Assert.Equal(1, factor);
            }

            AssertFinite(result, CalibrationCase.MeanShifts(moments, problem, result));
        });

    /// <summary>Without a factor the last descent's objective is that of the result, so no single flip may lower it.</summary>
    [Fact]
    public void NoSingleFlipImprovesTheResultAndTheStartIsNoBetter() => CalibrationCase.Any.Sample(
        static test =>
        {
            test = test with { FitsScale = false };
            RoundingProblem problem = test.Problem();
            InputMoments moments = test.Moments();
            sbyte[] integers = CalibratedRounding.Round(moments, problem, OneThread).Integers;
            var objective = new LiteralObjective(moments, problem);
            for (int m = 0; m < test.Channels; m++)
            {
                double reached = objective.Of(m, integers, out double tolerance);
                sbyte[] start = [.. integers];
                for (int i = m * test.Length; i < (m + 1) * test.Length; i++)
                {
                    int upper = Math.Min(problem.Floors[i] + 1, problem.Largest);
                    start[i] = (sbyte)Math.Clamp(Math.Round(objective.Exact(m, i % test.Length)), problem.Floors[i], upper);
                }

                Assert.True(reached <= objective.Of(m, start, out _) + tolerance);
                for (int i = m * test.Length; i < (m + 1) * test.Length; i++)
                {
                    sbyte[] flipped = [.. integers];
                    flipped[i] = integers[i] == problem.Floors[i]
                        ? (sbyte)Math.Min(problem.Floors[i] + 1, problem.Largest)
                        : problem.Floors[i];
                    Assert.True(reached <= objective.Of(m, flipped, out _) + tolerance);
                }
            }
        },
        iter: 30);

    [Fact]
    public void TheNumberOfThreadsChangesNoBit() => CalibrationCase.Any.Sample(
        static test =>
        {
            RoundingProblem problem = test.Problem();
            InputMoments alone = test.Moments(), shared = test.Moments(threads: 2);
            RoundingResult one = CalibratedRounding.Round(alone, problem, OneThread);
            RoundingResult two = CalibratedRounding.Round(shared, problem, new ParallelOptions { MaxDegreeOfParallelism = 2 });
            AssertEqual(one, two);
            Assert.Equal(CalibrationCase.MeanShifts(alone, problem, one), CalibrationCase.MeanShifts(shared, problem, two));
        },
        iter: 50);

    [Fact]
    public void SlabsOfChannelsChangeNoBit()
    {
        var test = new CalibrationCase(Channels: 530, Length: 150, Rows: 300, Bits: 3, FitsScale: true, Seed: 4);
        RoundingProblem problem = test.Problem();
        var twoThreads = new ParallelOptions { MaxDegreeOfParallelism = 2 };
        RoundingResult all = CalibratedRounding.Round(test.Moments(threads: 2), problem, twoThreads);
        AssertEqual(all, CalibratedRounding.Round(test.Moments(), problem, OneThread));
        const int last = 529;
        RoundingResult alone = CalibratedRounding.Round(
            test.Moments(),
            problem with
            {
                Weights = problem.Weights[(last * 150)..],
                Floors = problem.Floors[(last * 150)..],
                Units = problem.Units[last..],
                Zeros = problem.Zeros[last..],
            },
            OneThread);
        Assert.Equal(alone.Integers, all.Integers[(last * 150)..]);
        Assert.Equal(alone.ScaleFactors[0], all.ScaleFactors[last]);
    }

    /// <summary>Nothing is known of inputs that never vary, that are not numbers, or of which there are none.</summary>
    [Theory]
    [InlineData(0, 1f, 1f)]
    [InlineData(5, 0f, 0f)]
    [InlineData(5, 0.1f, 7e30f)]
    [InlineData(3, float.NaN, 1f)]
    [InlineData(3, 1f, float.PositiveInfinity)]
    public void WithoutInformationWeightsAreRoundedToNearest(int rows, float inFloat, float inPart)
    {
        var test = new CalibrationCase(Channels: 4, Length: 30, Rows: rows, Bits: 4, FitsScale: false, Seed: 9);
        RoundingProblem problem = test.Problem();
        var moments = new InputMoments(test.Length);
        float[] Repeated(float value) => [.. Enumerable.Repeat(value, rows * test.Length)];
        moments.Add(Repeated(inFloat), Repeated(inPart), rows, OneThread);
        RoundingResult result = CalibratedRounding.Round(moments, problem, OneThread);
        Assert.Equal(
            problem.Weights.Select((w, i) => (sbyte)Math.Clamp(
                Math.Round((w / problem.Units[i / 30]) + problem.Zeros[i / 30]), problem.Floors[i], Math.Min(problem.Floors[i] + 1, 7))),
            result.Integers);
        AssertFinite(result, CalibrationCase.MeanShifts(moments, problem, result));
        Assert.All(result.Errors, static error => Assert.Equal(0, error, 1e-15));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(15)]
    public void TheBiasShiftRestoresTheMeanOutput(int maxBlock)
    {
        var test = new CalibrationCase(Channels: 5, Length: 40, Rows: 100, Bits: 3, FitsScale: true, Seed: 2) { MaxBlock = maxBlock };
        RoundingProblem problem = test.Problem();
        (float[] inFloat, float[] inPart) = test.Inputs();
        InputMoments moments = test.Moments();
        RoundingResult result = CalibratedRounding.Round(moments, problem, OneThread);
        double[] shifts = CalibrationCase.MeanShifts(moments, problem, result);
        for (int m = 0; m < test.Channels; m++)
        {
            double mean = 0;
            for (int i = 0; i < inFloat.Length; i++)
            {
                int k = (m * test.Length) + (i % test.Length);
                double value = (result.Integers[k] - problem.Zeros[m]) * problem.Units[m] * result.ScaleFactors[m];
                mean += ((problem.Weights[k] * (double)inFloat[i]) - (value * inPart[i])) / test.Rows;
            }

            Assert.Equal(mean, shifts[m], 1e-9);
        }
    }

    [Fact]
    public void ArraysThatDoNotBelongTogetherAreRefused()
    {
        var test = new CalibrationCase(Channels: 2, Length: 9, Rows: 5, Bits: 3, FitsScale: true, Seed: 2);
        RoundingProblem problem = test.Problem();
        void Refused(RoundingProblem wrong) =>
            Assert.Throws<ArgumentException>(() => CalibratedRounding.Round(test.Moments(), wrong, OneThread));
        Refused(problem with { Weights = problem.Weights[1..] });
        Refused(problem with { Floors = problem.Floors[1..] });
        Refused(problem with { Zeros = problem.Zeros[1..] });
        Refused(problem with { Units = [1, 0] });
        Refused(problem with { Units = [double.NaN, 1] });
    }

    private static void AssertFinite(RoundingResult result, double[] shifts)
    {
        foreach (double value in result.ScaleFactors.Concat(shifts).Concat(result.Errors).Concat(result.Signals))
            Assert.True(double.IsFinite(value));
    }

    private static void AssertEqual(RoundingResult expected, RoundingResult actual)
    {
        Assert.Equal(expected.Integers, actual.Integers);
        Assert.Equal(expected.ScaleFactors, actual.ScaleFactors);
        Assert.Equal(expected.Errors, actual.Errors);
        Assert.Equal(expected.Signals, actual.Signals);
    }
}
