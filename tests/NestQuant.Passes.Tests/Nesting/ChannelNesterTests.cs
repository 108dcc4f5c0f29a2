using CsCheck;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>The two stages together: whatever the weights and options, the split loses nothing and stays in its ranges.</summary>
public sealed class ChannelNesterTests
{
    /// <summary>Those that look at one channel alone.</summary>
    private static readonly Gen<WeightRounding> Roundings =
        Gen.Enum<WeightRounding>().Where(static rounding => rounding != WeightRounding.Calibrated);

    private static readonly Gen<WeightQuantization> Options =
        from full in Gen.Int[3, 8]
        from high in Gen.Int[2, full - 1]
        from rounding in Roundings
        from splitRounding in Roundings
        from scheme in Gen.Enum<WeightScheme>()
        select new WeightQuantization(new NestedBits(full, high), scheme, rounding, splitRounding);

    private static readonly Gen<(float[] Weights, int Taps)> Channels =
        from taps in Gen.Int[1, 49]
        from kernels in Gen.Int[1, 12]
        from weights in Gen.OneOf(
            Gen.Float.Unit.Select(static u => (2 * u) - 1).Array[taps * kernels],
            Gen.Float[-1, 1].Array[taps * kernels],
            Gen.Float[2.5f, 3].Array[taps * kernels],
            Gen.Float[-1e-9f, 1e-9f].Array[taps * kernels],
            Gen.Float[-3e38f, 3e38f].Array[taps * kernels],
            Gen.OneOf(0f, -0f, float.Epsilon, -float.MaxValue, float.MaxValue, 1, 1e-8f).Array[taps * kernels],
            Gen.Float[-1000, 1000].Select(value => Enumerable.Repeat(value, taps * kernels).ToArray()))
        select (weights, taps);

    [Fact]
    public void FullBitIsLossless() => Gen.Select(Channels, Options).Sample(static (channel, options) =>
    {
        (sbyte[] high, sbyte[] low, _) = Nest(channel, options);
        var integers = new sbyte[high.Length];
        new ChannelNester(options, high.Length).Quantize(channel.Weights, channel.Taps, Scale(channel.Weights, options), integers);
        for (int i = 0; i < integers.Length; i++) Assert.Equal(integers[i], (high[i] << options.Bits.Shift) + low[i]);
    });

    /// <summary>What a given range leaves out changes no other weight.</summary>
    [Fact]
    public void ClippedWeightsAreNotMadeUpFor()
    {
        float[] weights = [200, 0.3f, 0.3f, 0.2f, -0.1f, 0.4f, -0.4f, 0.1f, -0.2f];
        var integers = new sbyte[2 * 9];
        var options = new WeightQuantization(
            new NestedBits(8, 6), WeightScheme.Symmetric, WeightRounding.Adaptive, WeightRounding.Adaptive);
        new ChannelNester(options, 9).Nest(weights, 9, integers, new ChannelScale(1, 0));
        Assert.Equal(127, integers[0]);
        Assert.InRange(integers[1..9].Sum(static value => value), 0, 1);
    }

    [Fact]
    public void PartsStayInTheirRanges() => Gen.Select(Channels, Options).Sample(static (channel, options) =>
    {
        (sbyte[] high, sbyte[] low, _) = Nest(channel, options);
        int half = 1 << (options.Bits.High - 1), step = 1 << options.Bits.Shift, full = 1 << (options.Bits.Full - 1);
        for (int i = 0; i < high.Length; i++)
        {
            Assert.InRange(high[i], -half, half - 1);
            Assert.InRange(low[i], -step, step - 1);
            Assert.InRange((high[i] * step) + low[i], -full, full - 1);
        }
    });

    [Fact]
    public void AdaptiveStagesEqualTheirDefinition() => Gen.Select(Channels, Options).Sample(static (channel, any) =>
    {
        WeightQuantization options = any with { Rounding = WeightRounding.Adaptive, SplitRounding = WeightRounding.Adaptive };
        (sbyte[] high, sbyte[] low, _) = Nest(channel, options);
        ChannelScale scale = Scale(channel.Weights, options);
        sbyte[] integers = Literal(
            Array.ConvertAll(channel.Weights, weight => (scale.Multiplier * weight) - scale.Offset), channel.Taps, options.Bits.Full);
        float lo = -(1 << (options.Bits.High - 1)), hi = (1 << (options.Bits.High - 1)) - 1;
        sbyte[] expected = Literal(
            Array.ConvertAll(integers, value => Math.Clamp(value / (float)(1 << options.Bits.Shift), lo, hi)),
            channel.Taps,
            options.Bits.High);
        Assert.Equal(expected, high);
        Assert.Equal(integers, high.Zip(low, (h, l) => (sbyte)((h << options.Bits.Shift) + l)));
    });

    /// <summary>
    /// Half a step of rounding, as much again where the zero point was rounded and clipping took it, one flip, and what float32
    /// cannot resolve of the offset.
    /// </summary>
    [Fact]
    public void FullBitErrorIsAFewSteps() => Gen.Select(Channels, Options).Sample(static (channel, options) =>
    {
        (sbyte[] high, sbyte[] low, NestedChannel result) = Nest(channel, options);
        for (int i = 0; i < high.Length; i++)
        {
            double value = ((double)((high[i] << options.Bits.Shift) + low[i]) - result.ZeroPoint) * result.Scale;
            double resolution = Math.Abs((double)channel.Weights[i]) * 1e-6;
            Assert.True(
                Math.Abs(value - channel.Weights[i]) <= (2 * (double)result.Scale) + resolution,
                $"{channel.Weights[i]} became {value} with scale {result.Scale}");
        }
    });

    [Fact]
    public void ScalesAreFiniteAndPositive() => Gen.Select(Channels, Options).Sample(static (channel, options) =>
    {
        ChannelScale scale = Scale(channel.Weights, options);
        Assert.True(float.IsFinite(scale.Multiplier) && scale.Multiplier > 0, $"multiplier {scale.Multiplier}");
        Assert.True(float.IsFinite(scale.Scale) && scale.Scale > 0, $"scale {scale.Scale}");
        Assert.True(MathF.Abs(scale.Offset) <= ChannelScale.LargestOffset);
        Assert.Equal(MathF.Round(scale.Offset), scale.Offset);
    });

    [Fact]
    public void SymmetricWeightsHaveNoZeroPoint() => Channels.Sample(static channel =>
        Assert.Equal(
            0,
            Nest(
                channel,
                new WeightQuantization(
                    new NestedBits(8, 6), WeightScheme.Symmetric, WeightRounding.Adaptive, WeightRounding.Adaptive)).Result.ZeroPoint));

    [Fact]
    public void NegatedWeightsGiveNegatedNearestIntegers() => Channels.Sample(static channel =>
    {
        var options = new WeightQuantization(new NestedBits(8, 6), WeightScheme.Symmetric, WeightRounding.Nearest, WeightRounding.Nearest);
        (sbyte[] high, sbyte[] low, _) = Nest(channel, options);
        (sbyte[] mirroredHigh, sbyte[] mirroredLow, _) = Nest((Array.ConvertAll(channel.Weights, static w => -w), channel.Taps), options);
        for (int i = 0; i < high.Length; i++) Assert.Equal((high[i] * 4) + low[i], -((mirroredHigh[i] * 4) + mirroredLow[i]));
    });

    [Theory]
    [InlineData(WeightScheme.Symmetric)]
    [InlineData(WeightScheme.Affine)]
    public void AZeroChannelIsExact(WeightScheme scheme)
    {
        (sbyte[] high, sbyte[] low, NestedChannel result) = Nest(
            (new float[18], 9), new WeightQuantization(new NestedBits(8, 6), scheme, WeightRounding.Adaptive, WeightRounding.Adaptive));
        Assert.Equal(0, result.Noise[0]);
        for (int i = 0; i < high.Length; i++) Assert.Equal(result.ZeroPoint, (high[i] * 4) + low[i]);
    }

    /// <summary>The released code has a zero point beyond int32 here.</summary>
    [Theory]
    [InlineData(3f)]
    [InlineData(-0.125f)]
    [InlineData(1e30f)]
    public void AConstantChannelKeepsItsValue(float value)
    {
        NestedChannel result = Nest(
            ([value, value, value], 3), new WeightQuantization(
                new NestedBits(8, 6), WeightScheme.Affine, WeightRounding.Adaptive, WeightRounding.Adaptive)).Result;
        Assert.InRange(result.ZeroPoint, -128, 127);
        Assert.True(result.Noise[0] <= result.Signal * 1e-4);
    }

    private static (sbyte[] High, sbyte[] Low, NestedChannel Result) Nest((float[] Weights, int Taps) channel, WeightQuantization options)
    {
        int length = channel.Weights.Length;
        var levels = new sbyte[2 * length];
        NestedChannel result = new ChannelNester(options, length).Nest(channel.Weights, channel.Taps, levels);
        sbyte[] high = levels[length..];
        return (high, [.. levels[..length].Zip(high, (full, h) => (sbyte)(full - (h << options.Bits.Shift)))], result);
    }

    private static ChannelScale Scale(float[] weights, WeightQuantization options) =>
        options.Scheme == WeightScheme.Symmetric
            ? ChannelScale.Symmetric(weights, options.Bits.Full)
            : ChannelScale.Affine(weights, options.Bits.Full);

    private static sbyte[] Literal(float[] x, int taps, int bits) =>
        LiteralAdaptiveRounding.Round(x, taps, -(1 << (bits - 1)), (1 << (bits - 1)) - 1).Result;
}
