using CsCheck;
using NestQuant.Compiler.Calibration;
using NestQuant.Passes.Integer.ActivationQuantization;

namespace NestQuant.Passes.Tests.Integer.ActivationQuantization;

/// <summary>Scale and zero point from a range.</summary>
public sealed class ActivationParametersTests
{
    [Theory]
    [InlineData(0, 255, 1, 0)]
    [InlineData(-128, 127, 1, 128)]
    [InlineData(-255, 0, 1, 255)]
    [InlineData(10, 51, 0.2f, 0)]
    [InlineData(-51, -10, 0.2f, 255)]
    [InlineData(-0.5f, 254.5f, 1, 0)]
    [InlineData(-1.5f, 253.5f, 1, 2)]
    public void TheRangeWidenedByZeroTakesAllValues(float min, float max, float scale, byte zeroPoint) =>
        Assert.Equal(new ActivationParameters(scale, zeroPoint), ActivationParameters.Of(new TensorRange(min, max)));

    [Fact]
    public void ARangeOfZerosHasScaleOne() =>
        Assert.Equal(new ActivationParameters(1, 0), ActivationParameters.Of(new TensorRange(0, -0f)));

    /// <summary>A scale that float32 cannot multiply or divide by would turn all values into zeros, or zeros into NaN.</summary>
    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(0, 1e-27f, null)]
    [InlineData(-1e32f, 1e32f, null)]
    [InlineData(-1e-40f, 1e-40f, "too narrow")]
    [InlineData(0, float.Epsilon, "too narrow")]
    [InlineData(0, 1e-28f, "too narrow")]
    [InlineData(float.MinValue, float.MaxValue, "too wide")]
    [InlineData(-1, float.NaN, "is not a range")]
    [InlineData(1, -1, "is not a range")]
    public void RangesThatWouldLoseTheirValuesAreRefused(float min, float max, string? reason)
    {
        string? given = ActivationParameters.WhyNot(new TensorRange(min, max));
        if (reason is null) Assert.Null(given);
        else Assert.Contains(reason, given, StringComparison.Ordinal);
    }

    [Fact]
    public void TheLargestRangeHasAFiniteScale() =>
        Assert.True(float.IsFinite(ActivationParameters.Of(new TensorRange(float.MinValue, float.MaxValue)).Scale));

    /// <summary>
    /// Every value of the range is represented to within one step (a half, and what rounding the zero point shifts), 0 exactly.
    /// </summary>
    [Fact]
    public void EveryValueOfTheRangeIsRepresented() =>
        Gen.Select(Gen.Float[-1000, 1000], Gen.Float[-1000, 1000], Gen.Float[0, 1]).Sample(static (a, b, t) =>
    {
        var range = new TensorRange(MathF.Min(a, b), MathF.Max(a, b));
        ActivationParameters parameters = ActivationParameters.Of(range);
        double value = range.Min + ((double)t * (range.Max - range.Min));
        double quantized = Math.Clamp(Math.Round(value / parameters.Scale) + parameters.ZeroPoint, 0, 255);
        return Math.Abs(((quantized - parameters.ZeroPoint) * parameters.Scale) - value) <= parameters.Scale * 1.0001;
    });
}
