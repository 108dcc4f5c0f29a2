using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Calibration;

/// <summary>Ranges from data, from stored statistics, and from a rule that needs neither.</summary>
public sealed class RangeSourceTests
{
    /// <summary>Standard deviation of values spread evenly over an interval of length 1.</summary>
    private const double UnitDeviation = 0.28867513;

    private static ModelContext Model(long batch = -1) => new(
        new GraphBuilder()
            .Input("x", batch, 3, 40, 40)
            .Floats("two", [], 2)
            .Floats("minus", [], -1)
            .Floats("one", [], 1)
            .Floats("zero", [], 0)
            .Node("positive = Mul(x, two)")
                .Node("negative = Mul(x, minus)")
                .Node("centred = Add(positive, minus)")
                .Node("constant = Mul(x, zero)")
                .Node("ones = Add(constant, one)")
            .Output("centred", "negative", "ones").Model());

    [Fact]
    public void DataAndItsStoredStatisticsGiveTheSameRanges()
    {
        using var data = new ArrayData([4, 3, 40, 40], TensorValue.Random(4, 3, 40, 40).Floats);
        foreach (string method in new[] { "minmax", "percentile:99", "entropy", "mse" })
        {
            var calibration = new DataCalibration(data.Set) { Method = CalibrationMethod.Parse(method) };
            ActivationRanges ranges = calibration.RangesOf(Model());
            ActivationRanges stored = new StoredRanges(
                calibration.Sweep(Model(), "ab"), "r.json", "ab")
            { Method = calibration.Method }.RangesOf(Model());
            foreach (string value in new[] { "x", "positive", "negative", "centred", "ones" })
            {
                Assert.NotNull(ranges.Of(value));
                Assert.Equal(ranges.Of(value), stored.Of(value));
            }

            Assert.Null(ranges.Of("two"));
            Assert.Null(stored.Of("two"));
        }
    }

    [Fact]
    public void StatisticsOfAnotherModelAreRefused()
    {
        ModelException e = Assert.Throws<ModelException>(
            static () => new StoredRanges(new CalibrationStatistics("ab", 1, []), "r.json", "cd"));
        Assert.Contains("r.json: belongs to another model, with SHA-256 ab; this one has cd", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutDataRangesAreMultiplesOfTheDeviationOfPositiveValues()
    {
        ActivationRanges ranges = new DataFreeRanges().RangesOf(Model());
        AssertRange(0, 25 * 2 * UnitDeviation, ranges.Of("positive"));
        // Of [-1, 1] the positive half counts; of the input, which may be normalised otherwise, both signs.
        AssertRange(-25 * UnitDeviation / 1.25, 25 * UnitDeviation / 1.25, ranges.Of("centred"));
        AssertRange(-25 * UnitDeviation / 1.25, 25 * UnitDeviation / 1.25, ranges.Of("x"));
        // No positive values, and no spread: as it was.
        AssertRange(-1, 0, ranges.Of("negative"));
        Assert.Equal(new TensorRange(1, 1), ranges.Of("ones"));
        Assert.Equal(new TensorRange(0, 0), ranges.Of("constant"));
    }

    [Fact]
    public void WithoutDataRangesAreTheSameEveryTime()
    {
        ActivationRanges one = new DataFreeRanges().RangesOf(Model()), two = new DataFreeRanges().RangesOf(Model());
        foreach (string value in new[] { "x", "positive", "centred" }) Assert.Equal(one.Of(value), two.Of(value));
        // The same images, in one batch.
        Assert.Equal(one.Of("positive"), new DataFreeRanges().RangesOf(Model(batch: 8)).Of("positive"));
    }

    [Theory]
    [InlineData(TensorDataType.Int64, 4)]
    [InlineData(TensorDataType.Float, -1)]
    public void WithoutDataTheInputsMustBeImages(TensorDataType type, long extent)
    {
        GraphBuilder graph = new GraphBuilder()
            .Input(type, "tokens", 1, extent)
            .Node("f = Cast(tokens)", AttributeProto.Int("to", (long)TensorDataType.Float))
            .Node("y = Relu(f)")
            .Output("y");
        ModelException e = Assert.Throws<ModelException>(() => new DataFreeRanges().RangesOf(new ModelContext(graph.Model())));
        Assert.Contains("input 'tokens' is not a float tensor of known size", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(int.MaxValue)]
    public void WithoutDataTheInputsMustFitIntoMemory(long extent)
    {
        GraphBuilder graph = new GraphBuilder().Input("image", -1, 3, extent, 16).Node("y = Relu(image)").Output("y");
        ModelException e = Assert.Throws<ModelException>(() => new DataFreeRanges().RangesOf(new ModelContext(graph.Model())));
        Assert.Contains("input 'image' of shape [1, 3, ", e.Message, StringComparison.Ordinal);
    }

    private static void AssertRange(double min, double max, TensorRange? range)
    {
        Assert.NotNull(range);
        double tolerance = 0.02 * Math.Max(max, -min);
        Assert.Equal(min, range.Value.Min, tolerance);
        Assert.Equal(max, range.Value.Max, tolerance);
    }
}
