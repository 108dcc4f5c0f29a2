using CsCheck;
using NestQuant.Compiler.Calibration;

namespace NestQuant.Compiler.Tests.Calibration;

public sealed class CalibrationMethodTests
{
    public static TheoryData<string> Methods =>
        ["minmax", "percentile", "percentile:99", "percentile:0.001", "percentile:100", "entropy", "mse"];

    [Theory]
    [MemberData(nameof(Methods))]
    public void EveryRangeLiesWithinTheValues(string text) => CalibrationGen.Values.Sample(
        values =>
        {
            ActivationStatistics statistics = CalibrationGen.Statistics(values);
            TensorRange range = CalibrationMethod.Parse(text).RangeOf(statistics);
            Assert.InRange(range.Min, statistics.Min, range.Max);
            Assert.InRange(range.Max, range.Min, statistics.Max);
            // What is neither all zero nor on one side of zero alone keeps a width, once zero is part of it.
            if (values.Any(value => value != 0))
                Assert.True(range.Min != 0 || range.Max != 0);
        },
        iter: 60);

    [Theory]
    [MemberData(nameof(Methods))]
    public void AConstantIsItsOwnRange(string text)
    {
        foreach (float value in new[] { 0f, 3.25f, -7f, float.Epsilon, float.MaxValue })
            Assert.Equal(new TensorRange(value, value), CalibrationMethod.Parse(text).RangeOf(CalibrationGen.Statistics(value, value)));
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void MethodsReadTheirOwnText(string text)
    {
        CalibrationMethod method = CalibrationMethod.Parse(text);
        Assert.Equal(method, CalibrationMethod.Parse(method.ToString()!));
    }

    [Theory]
    [InlineData("")]
    [InlineData("MinMax")]
    [InlineData("percentile:")]
    [InlineData("percentile:0")]
    [InlineData("percentile:100.5")]
    [InlineData("percentile:-1")]
    [InlineData("percentile:99,9")]
    [InlineData("entropy:1")]
    public void OtherTextsAreRefused(string text) => Assert.Throws<FormatException>(() => CalibrationMethod.Parse(text));

    [Fact]
    public void NothingHasNoRange() =>
        Assert.Throws<ArgumentException>(() => CalibrationMethod.Default.RangeOf(new ActivationStatistics()));

    [Fact]
    public void AllPercentIsMinMax() => CalibrationGen.Values.Sample(values =>
    {
        ActivationStatistics statistics = CalibrationGen.Statistics(values);
        Assert.Equal(new MinMaxCalibration().RangeOf(statistics), new PercentileCalibration { Percent = 100 }.RangeOf(statistics));
    });

    [Theory]
    [InlineData(50)]
    [InlineData(99)]
    [InlineData(99.9)]
    public void APercentileKeepsThatMuchAndNotMuchMore(double percent)
    {
        float[] values = CalibrationGen.Normal(100_000, outlier: 40);
        TensorRange range = new PercentileCalibration { Percent = percent }.RangeOf(CalibrationGen.Statistics(values));
        double kept = 100.0 * values.Count(value => value >= range.Min && value <= range.Max) / values.Length;
        Assert.InRange(kept, percent, percent + 1);
    }

    /// <summary>A wide outlier among 100,000 normal values: the distribution of the bulk is worth more than it.</summary>
    [Fact]
    public void AnOutlierIsClippedByEntropy()
    {
        TensorRange range = new EntropyCalibration().RangeOf(CalibrationGen.Statistics(CalibrationGen.Normal(100_000, outlier: 40)));
        Assert.InRange(range.Max, 2.5, 12);
        Assert.InRange(-range.Min, 2.5, 6);
    }

    /// <summary>
    /// The least of 100,000 ((h + 4.4) / 255)^2 / 12 + (40 - h)^2, rounding and clipping error of an upper end h, is at h = 35.
    /// </summary>
    [Fact]
    public void AnOutlierIsWorthWhatItsErrorIs()
    {
        TensorRange range = new MseCalibration().RangeOf(CalibrationGen.Statistics(CalibrationGen.Normal(100_000, outlier: 40)));
        Assert.InRange(range.Max, 34, 36);
    }

    [Fact]
    public void TheMseRangeIsNoWorseThanAnyOther() => CalibrationGen.Values.Sample(
        values =>
        {
            ActivationStatistics statistics = CalibrationGen.Statistics(values);
            double error = QuantizationError.Of(statistics, new MseCalibration().RangeOf(statistics));
            Assert.True(error <= QuantizationError.Of(statistics, new MinMaxCalibration().RangeOf(statistics)));
        },
        iter: 60);

    /// <summary>The two ends of a skewed distribution are found by themselves, as well as by trying all pairs of a grid.</summary>
    [Fact]
    public void TheMseSearchFindsBothEnds()
    {
        float[] values = [.. CalibrationGen.Normal(20_000, outlier: 60).Select(value => value < 0 ? value / 4 : value)];
        ActivationStatistics statistics = CalibrationGen.Statistics(values);
        double found = QuantizationError.Of(statistics, new MseCalibration().RangeOf(statistics)), best = double.PositiveInfinity;
        for (int below = 1; below <= 30; below++)
        {
            for (int above = 1; above <= 60; above++)
                best = Math.Min(
                    best, QuantizationError.Of(statistics, new TensorRange(Math.Max(-0.05f * below, statistics.Min), 0.2f * above)));
        }

        Assert.InRange(found, 0, best * 1.02);
    }

    /// <summary>Against the definition: quantize many points of every bin, and take the mean of their squared errors.</summary>
    [Theory]
    [InlineData(-1.9f, 2.7f)]
    [InlineData(-0.3f, 0.4f)]
    [InlineData(0, 3)]
    [InlineData(0.5f, 1)]
    [InlineData(-4, -0.5f)]
    public void TheExpectedErrorIsThatOfValuesSpreadOverTheirBins(float min, float max)
    {
        ActivationStatistics statistics = CalibrationGen.Statistics(CalibrationGen.Normal(300, outlier: -5));
        double low = Math.Min(min, 0),
            high = Math.Max(max, 0),
            scale = (high - low) / 255,
            zeroPoint = Math.Round(-low / scale),
            expected = 0;
        const int points = 400;
        ActivationHistogram histogram = statistics.Histogram;
        for (int bin = histogram.FirstBin; bin <= histogram.LastBin; bin++)
        {
            for (int point = 0; point < points && histogram[bin] > 0; point++)
            {
                double x = (bin + ((point + 0.5) / points)) * histogram.BinWidth;
                double error = x - ((Math.Clamp(Math.Round(x / scale) + zeroPoint, 0, 255) - zeroPoint) * scale);
                expected += histogram[bin] * error * error / points;
            }
        }

        Assert.Equal(1, QuantizationError.Of(statistics, new TensorRange(min, max)) / expected, 1e-3);
    }

    /// <summary>Zeros are exact in every quantization: however many there are, they change no range but a percentile.</summary>
    [Theory]
    [InlineData("minmax")]
    [InlineData("entropy")]
    [InlineData("mse")]
    public void ZerosDoNotCount(string text)
    {
        float[] values = CalibrationGen.Normal(5000, outlier: 20);
        TensorRange expected = CalibrationMethod.Parse(text).RangeOf(CalibrationGen.Statistics(values));
        Assert.Equal(expected, CalibrationMethod.Parse(text).RangeOf(CalibrationGen.Statistics([.. values, .. new float[100_000]])));
    }
}
