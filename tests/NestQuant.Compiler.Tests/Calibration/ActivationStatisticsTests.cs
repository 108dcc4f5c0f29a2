using CsCheck;
using NestQuant.Compiler.Calibration;

namespace NestQuant.Compiler.Tests.Calibration;

/// <summary>What is counted depends on the values alone.</summary>
public sealed class ActivationStatisticsTests
{
    [Fact]
    public void AnySplitInAnyOrderGivesTheWhole() =>
        Gen.Select(CalibrationGen.Values, Gen.Int[1, 9], Gen.Int).Sample((values, parts, seed) =>
    {
        string whole = CalibrationGen.Text(CalibrationGen.Statistics(values));
        var random = new Random(seed);
        float[] shuffled = [.. values];
        random.Shuffle(shuffled);
        ActivationStatistics[] pieces = [.. Enumerable.Range(0, parts).Select(_ => new ActivationStatistics())];
        foreach (float value in shuffled)
            pieces[random.Next(parts)].Add([value]);

        var forwards = new ActivationStatistics();
        foreach (ActivationStatistics piece in pieces)
            forwards.Add(piece);
        // A tree instead of a chain: from the last to the first, in pairs.
        var backwards = new ActivationStatistics();
        for (int i = parts - 1; i >= 0; i -= 2)
        {
            if (i > 0)
                pieces[i].Add(pieces[i - 1]);
            backwards.Add(pieces[i]);
        }

        Assert.Equal(whole, CalibrationGen.Text(forwards));
        Assert.Equal(whole, CalibrationGen.Text(backwards));
    });

    [Fact]
    public void EveryValueIsCountedInItsBin() => CalibrationGen.Values.Sample(values =>
    {
        ActivationStatistics statistics = CalibrationGen.Statistics(values);
        ActivationHistogram histogram = statistics.Histogram;
        foreach (int bin in values.Where(value => value != 0).Select(value => (int)Math.Floor(value / histogram.BinWidth)).Distinct())
            Assert.Equal(values.Count(value => value != 0 && Math.Floor(value / histogram.BinWidth) == bin), histogram[bin]);
        Assert.Equal(values.Count(value => value == 0), histogram.Zeros);
        Assert.Equal(
            values.Length,
            histogram.Zeros + Enumerable.Range(-ActivationHistogram.HalfBins, 2 * ActivationHistogram.HalfBins).Sum(bin => histogram[bin]));
        Assert.Equal((values.Length, values.Min(), values.Max()), (statistics.Count, statistics.Min, statistics.Max));
    });

    [Fact]
    public void TheBinsAreAsNarrowAsTheRangeAllows() => CalibrationGen.Values.Sample(values =>
    {
        ActivationHistogram histogram = CalibrationGen.Statistics(values).Histogram;
        int largest = Math.Max(histogram.LastBin + 1, -histogram.FirstBin);
        Assert.True(histogram.Exponent == ActivationHistogram.MinExponent || largest > ActivationHistogram.HalfBins / 2);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(13)]
    [InlineData(100)]
    public void AWiderRangeMergesNeighbours(int doublings)
    {
        float[] values = CalibrationGen.Normal(5000, outlier: 0);
        ActivationHistogram narrow = CalibrationGen.Statistics(values).Histogram;
        ActivationStatistics statistics = CalibrationGen.Statistics(values);
        // Just inside of the last bin after so many doublings.
        statistics.Add([(float)((ActivationHistogram.HalfBins - 1) * Math.ScaleB(narrow.BinWidth, doublings))]);
        ActivationHistogram wide = statistics.Histogram;

        Assert.Equal(narrow.Exponent + doublings, wide.Exponent);
        for (int bin = -ActivationHistogram.HalfBins; bin < ActivationHistogram.HalfBins - 1; bin++)
        {
            int wanted = bin;
            long merged = Enumerable.Range(narrow.FirstBin, narrow.LastBin - narrow.FirstBin + 1)
                .Where(small => Math.Floor(small / Math.ScaleB(1, doublings)) == wanted).Sum(small => narrow[small]);
            if (merged != 0 || wide[bin] != 0)
                Assert.Equal(merged, wide[bin]);
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void WhatIsNotFiniteIsRefusedAsAWhole(float value)
    {
        ActivationStatistics statistics = CalibrationGen.Statistics(1, 2);
        string before = CalibrationGen.Text(statistics);
        Assert.Throws<ArgumentException>(() => statistics.Add([3, value]));
        Assert.Equal(before, CalibrationGen.Text(statistics));
    }

    [Fact]
    public void TheSignOfZeroDoesNotDependOnTheOrder()
    {
        Assert.False(float.IsNegative(CalibrationGen.Statistics(-0f, 0f).Min));
        Assert.False(float.IsNegative(CalibrationGen.Statistics(-0f).Max));
    }

    [Fact]
    public void NothingAddsNothing()
    {
        ActivationStatistics statistics = CalibrationGen.Statistics(5);
        statistics.Add([]);
        statistics.Add(new ActivationStatistics());
        Assert.Equal(CalibrationGen.Text(CalibrationGen.Statistics(5)), CalibrationGen.Text(statistics));
    }
}
