using CsCheck;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Streamed moments are those of all rows at once.</summary>
[Collection(SequentialTests.Name)]
public sealed class InputMomentsTests
{
    private static readonly ParallelOptions TwoThreads = new() { MaxDegreeOfParallelism = 2 };

    [Fact]
    public void MomentsAreThoseOfTheDefinition() => CalibrationCase.Any.Sample(
        static test =>
        {
            (float[] inFloat, float[] inPart) = test.Inputs();
            MomentBlock block = Assert.Single((test with { MaxBlock = test.Length }).Moments().Complete(TwoThreads));
            int length = test.Length;
            double Mean(float[] values, int i) => Enumerable.Range(0, test.Rows).Average(row => (double)values[(row * length) + i]);
            double Covariance(float[] a, int i, float[] b, int j) => Enumerable.Range(0, test.Rows).Average(
                row => (a[(row * length) + i] - Mean(a, i)) * (b[(row * length) + j] - Mean(b, j)));
            for (int i = 0; i < length; i += 3)
            {
                Assert.Equal(Mean(inFloat, i), block.FloatMeans[i], 1e-12);
                Assert.Equal(Mean(inPart, i), block.PartMeans[i], 1e-12);
                for (int j = 0; j < length; j += 5)
                {
                    Assert.Equal(Covariance(inPart, i, inPart, j), block.Covariance[i, j], 1e-12);
                    Assert.Equal(Covariance(inFloat, i, inPart, j), block.CrossCovariance[i, j], 1e-12);
                }
            }
        },
        iter: 20);

    [Fact]
    public void NeitherThreadsNorTheDivisionOfRowsChangeABit() => Gen.Select(CalibrationCase.Any, Gen.Int[1, 50]).Sample(
        static (test, step) =>
        {
            (float[] inFloat, float[] inPart) = test.Inputs();
            var parts = new InputMoments(test.Length, test.MaxBlock);
            for (int row = 0; row < test.Rows; row += step)
            {
                int rows = Math.Min(step, test.Rows - row);
                Range range = (row * test.Length)..((row + rows) * test.Length);
                parts.Add(inFloat.AsSpan(range), inPart.AsSpan(range), rows, TwoThreads);
            }

            Assert.Equal(test.Rows, parts.Rows);
            MomentBlock expected = test.Moments().Complete(TwoThreads)[0], actual = parts.Complete(TwoThreads)[0];
            Assert.Equal(expected.PartMeans, actual.PartMeans);
            Assert.Equal(expected.FloatMeans, actual.FloatMeans);
            Assert.Equal(expected.Covariance.From(0, 0).ToArray(), actual.Covariance.From(0, 0).ToArray());
            Assert.Equal(expected.CrossCovariance.From(0, 0).ToArray(), actual.CrossCovariance.From(0, 0).ToArray());
        },
        iter: 50);

    [Fact]
    public void ConstantInputsHaveNoCovarianceAndALargeMeanCostsNoPrecision()
    {
        var moments = new InputMoments(3);
        float[] rows = [0.1f, 1e6f, 1, 0.1f, 1e6f + 1, 2, 0.1f, 1e6f + 2, 6];
        moments.Add(rows, rows, 3, TwoThreads);
        MomentBlock block = Assert.Single(moments.Complete(TwoThreads));
        Assert.Equal(new double[3], block.Covariance.Row(0)[..3].ToArray());
        Assert.Equal(2 / 3.0, block.Covariance[1, 1], 1e-15);
        Assert.Equal(5 / 3.0, block.Covariance[1, 2], 1e-15);
        Assert.Equal(1e6 + 1, block.PartMeans[1]);
    }

    [Fact]
    public void LongRowsAreCutIntoEqualBlocks()
    {
        const int length = 210;
        var moments = new InputMoments(length, maxBlock: 100);
        float[] rows = [.. Enumerable.Range(0, 2 * length).Select(static i => (float)(i * 7919L % 1009))];
        moments.Add(rows, rows, 2, TwoThreads);
        IReadOnlyList<MomentBlock> blocks = moments.Complete(TwoThreads);
        Assert.Equal([70, 70, 70], blocks.Select(static block => block.Length));
        foreach (MomentBlock block in blocks)
        {
            for (int i = 0; i < block.Length; i += 9)
            {
                int k = block.Start + i;
                Assert.Equal((rows[k] + rows[length + k]) / 2, block.PartMeans[i], 1e-9);
                Assert.Equal(Math.Pow((rows[k] - rows[length + k]) / 2, 2), block.Covariance[i, i], 1e-6);
            }
        }
    }

    [Fact]
    public void RowsOfAnotherLengthAreRefusedAndNoneFollowTheUse()
    {
        var moments = new InputMoments(2);
        Assert.Throws<ArgumentException>(() => moments.Add([1, 2, 3], [1, 2, 3], 1, TwoThreads));
        moments.Complete(TwoThreads);
        Assert.Throws<InvalidOperationException>(() => moments.Add([1, 2], [1, 2], 1, TwoThreads));
    }
}
