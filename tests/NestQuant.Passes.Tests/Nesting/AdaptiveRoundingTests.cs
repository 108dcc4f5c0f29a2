using CsCheck;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes.Tests.Nesting;

/// <summary>
/// What adaptive rounding promises (SQuant, arXiv 2202.07471, constrained absolute sum of errors), on random and on hard channels.
/// </summary>
public sealed class AdaptiveRoundingTests
{
    private const float SumTolerance = 1e-4f;

    [Fact]
    public void EqualsItsDefinition() => RoundingInputs.Any.Sample(
        static input => Assert.Equal(LiteralAdaptiveRounding.Round(input.X, input.Taps, input.Lo, input.Hi).Result, Round(input)),
        iter: 5_000);

    [Fact]
    public void EqualsItsDefinitionOnLongChannelsOfTies() =>
        Gen.Select(Gen.OneOf(1, 9, 49), Gen.Int[2, 4], Gen.Int[-512, 511].Array[49 * 9 * 20]).Sample(
        static (taps, shift, values) =>
        {
            float[] x = Array.ConvertAll(values, value => MathF.Floor(value / 512f * 8 * (1 << shift)) / (1 << shift));
            var input = new RoundingInput(x, taps, 4, "long");
            Assert.Equal(LiteralAdaptiveRounding.Round(x, taps, input.Lo, input.Hi).Result, Round(input));
        },
        iter: 30);

    /// <summary>
    /// Every error is below 1: the result is one of the two integers next to the value. Said this way, float32 cannot round 1 - 1e-30 up to
    /// 1.
    /// </summary>
    [Fact]
    public void NoErrorReachesOne() => RoundingInputs.Any.Sample(static input =>
    {
        foreach ((float x, sbyte rounded) in input.X.Zip(Round(input)))
            Assert.InRange(rounded, Math.Clamp(MathF.Floor(x), input.Lo, input.Hi), Math.Clamp(MathF.Ceiling(x), input.Lo, input.Hi));
    });

    [Fact]
    public void ResultsStayInRange() => RoundingInputs.Any.Sample(static input =>
    {
        foreach (sbyte value in Round(input)) Assert.InRange(value, input.Lo, input.Hi);
    });

    /// <summary>
    /// A channel of one kernel shows the kernel step alone: its error sum is within one half, so the channel step has nothing to do.
    /// </summary>
    [Fact]
    public void KernelErrorSumIsWithinOneHalf()
    {
        int held = 0;
        RoundingInputs.OneKernel.Where(static input => !Saturates(input)).Sample(
            input =>
            {
                if (!LiteralAdaptiveRounding.Round(input.X, input.Taps, input.Lo, input.Hi).EnoughForKernels) return;
                Assert.InRange(Errors(input).Sum(), -0.5f - SumTolerance, 0.5f + SumTolerance);
                Interlocked.Increment(ref held);
            },
            iter: 2_000);
        Assert.True(held > 10, "nearly no kernel had enough candidates: the property was not tested");
    }

    [Fact]
    public void ChannelErrorSumIsWithinOneHalf()
    {
        int held = 0;
        RoundingInputs.Any.Where(static input => !Saturates(input)).Sample(
            input =>
            {
                // A kernel that lacked candidates counts its error as smaller than it is.
                if (
                    LiteralAdaptiveRounding.Round(
                        input.X, input.Taps, input.Lo, input.Hi) is not { EnoughForKernels: true, EnoughForChannel: true })
                    return;
                Assert.InRange(Errors(input).Sum(), -0.5f - SumTolerance, 0.5f + SumTolerance);
                Interlocked.Increment(ref held);
            },
            iter: 2_000);
        Assert.True(held > 10, "nearly no channel had enough candidates: the property was not tested");
    }

    [Fact]
    public void ValuesThatAreIntegersStay() => RoundingInputs.Any.Sample(static input =>
    {
        float[] integers = Array.ConvertAll(input.X, x => MathF.Round(Math.Clamp(x, input.Lo, input.Hi)));
        Assert.Equal(Array.ConvertAll(integers, static x => (sbyte)x), Round(input with { X = integers }));
    });

    /// <summary>Four equal errors of -0.25 ask for one flip: the first element gets it.</summary>
    [Fact]
    public void EqualPrioritiesGoToTheLowestIndex()
    {
        Assert.Equal([1, 0, 0, 0], Round(new RoundingInput([0.25f, 0.25f, 0.25f, 0.25f], 1, 8, "tie")));
        Assert.Equal([1, 0, 0, 0], Round(new RoundingInput([0.25f, 0.25f, 0.25f, 0.25f], 4, 8, "tie")));
        Assert.Equal([0, 1, 1, 1], Round(new RoundingInput([0.75f, 0.75f, 0.75f, 0.75f], 4, 8, "tie")));
    }

    [Fact]
    public void OneInstanceRoundsChannelsOfAnyLength()
    {
        var rounding = new AdaptiveRounding(49 * 24);
        RoundingInputs.Any.Sample(
            input =>
            {
                var rounded = new sbyte[input.X.Length];
                rounding.Round(input.X, input.Taps, input.Lo, input.Hi, rounded);
                Assert.Equal(Round(input), rounded);
            },
            threads: 1);
    }

    [Theory]
    [InlineData(10, 3, 10)]
    [InlineData(9, 3, 8)]
    [InlineData(30, 3, 30)]
    public void LengthsThatDoNotFitAreRefused(int length, int taps, int results) =>
        Assert.Throws<ArgumentException>(() => new AdaptiveRounding(20).Round(new float[length], taps, -8, 7, new sbyte[results]));

    /// <summary>Values beyond the range are clipped, which is an error that no flip can make up for.</summary>
    private static bool Saturates(RoundingInput input) =>
        Array.Exists(input.X, x => MathF.Round(x) < input.Lo || MathF.Round(x) > input.Hi);

    private static float[] Errors(RoundingInput input) => [.. Round(input).Zip(input.X, static (rounded, x) => rounded - x)];

    private static sbyte[] Round(RoundingInput input)
    {
        var rounded = new sbyte[input.X.Length];
        new AdaptiveRounding(input.X.Length).Round(input.X, input.Taps, input.Lo, input.Hi, rounded);
        return rounded;
    }
}
