using CsCheck;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Kernels.Execution;

namespace NestQuant.RuntimeOps.Tests.GroupNL;

public class GroupNLExpansionTests
{
    [Theory]
    [MemberData(nameof(NestedConvolutionTests.Tiers), MemberType = typeof(NestedConvolutionTests))]
    public void Equals_the_definition_in_both_layouts(string tier) =>
        ExpansionCase.Cases.Sample(
            c =>
            {
                double[] expected = c.Expected();
                float[] planes = c.Run(TierSelection.Select(tier), new BackwardLoop(), isChannelsLast: false);
                float[] rows = c.Run(TierSelection.Select(tier), new BackwardLoop(), isChannelsLast: true);
                AssertClose(expected, planes, c.Tolerance());
                AssertClose(expected, ToPlanes(rows, c), c.Tolerance());
            },
            iter: 150);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Tiers_and_numbers_of_threads_give_the_same_bits(bool isChannelsLast) =>
        ExpansionCase.Cases.Sample(
            c =>
            {
                float[] reference = c.Run(TierSelection.Portable, new BackwardLoop(), isChannelsLast);
                foreach (int threads in new[] { 1, 2, 7 })
                    AssertSameBits(reference, c.Run(TierSelection.Select(null), new ThreadedLoop(threads), isChannelsLast));
            },
            iter: 100);

    [Theory]
    [InlineData(1, 8)]
    [InlineData(49, 8)]
    [InlineData(49, 13)]
    [InlineData(1, 1)]
    [InlineData(513, 3)]
    [InlineData(600, 100)]
    public void Any_number_of_pixels_and_maps_is_whole(int pixels, int seeds)
    {
        ExpansionCase c = new(2, seeds, [pixels], [.. Enumerable.Range(0, seeds).Reverse()], seed: 3, hasAffine: true, activation: "clip");
        double[] expected = c.Expected();
        foreach (KernelTier tier in new[] { TierSelection.Portable, TierSelection.Select(null) })
        {
            AssertClose(expected, c.Run(tier, new ThreadedLoop(3), isChannelsLast: false), c.Tolerance());
            AssertClose(expected, ToPlanes(c.Run(tier, new ThreadedLoop(3), isChannelsLast: true), c), c.Tolerance());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_norm_below_epsilon_is_taken_as_epsilon(bool isChannelsLast)
    {
        ExpansionCase c = new(1, 5, [3, 3], [0, 1, 2, 3, 4], seed: 1) { Epsilon = 0.5f };
        for (int i = 0; i < c.X.Length; i++)
            c.X[i] = i % 9 == 4 ? 0 : c.X[i] * 0.01f;
        float[] y = c.Run(TierSelection.Select(null), new BackwardLoop(), isChannelsLast);
        AssertClose(c.Expected(), isChannelsLast ? ToPlanes(y, c) : y, 1e-6);
    }

    /// <summary>
    /// Values whose squares vanish may exceed their computed norm; with a tiny epsilon the sine's argument has then no bound.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_tiny_epsilon_leaves_no_argument_out_of_range(bool isChannelsLast)
    {
        ExpansionCase c = new(1, 2, [8, 2], [0, 1], seed: 1) { Epsilon = 1e-30f };
        for (int i = 0; i < c.X.Length; i++)
            c.X[i] = 1e-25f * (i + 1);
        float[] y = c.Run(TierSelection.Select(null), new BackwardLoop(), isChannelsLast);
        float[] planes = isChannelsLast ? ToPlanes(y, c) : y;
        for (int i = 0; i < 32; i++)
        {
            float n = planes[i];
            Assert.InRange(n / (c.X[i] / 1e-30f), 1 - 3e-7f, 1 + 3e-7f);
            Assert.Equal((float)Math.Sin((n - c.Shift[i / 16]) * c.Period[i / 16]), planes[32 + i]);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Parameters_beyond_the_vector_sines_range_are_exact(bool isChannelsLast)
    {
        ExpansionCase c = new(1, 4, [5], [3, 2, 1, 0], seed: 2) { Shift = [1e4f, 3, 1e9f, float.MaxValue], Period = [1.5f, 1e6f, -2, 1] };
        float[] y = c.Run(TierSelection.Select(null), new BackwardLoop(), isChannelsLast);
        float[] planes = isChannelsLast ? ToPlanes(y, c) : y;
        for (int i = 0; i < 20; i++)
        {
            (int g, int pixel) = Math.DivRem(i, 5);
            float argument = (planes[c.Source[g] * 5 + pixel] - c.Shift[g]) * c.Period[g];
            Assert.Equal((float)Math.Sin(argument), planes[20 + i]);
        }
    }

    internal static void AssertSameBits(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
                Assert.Fail($"[{i}]: {expected[i]:R} and {actual[i]:R}");
        }
    }

    private static void AssertClose(double[] expected, float[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(expected[i] - actual[i]) <= tolerance))
                Assert.Fail($"[{i}]: {expected[i]:R} expected, {actual[i]:R} found, tolerance {tolerance:R}");
        }
    }

    private static float[] ToPlanes(float[] rows, ExpansionCase c) => ExpansionCase.ToChannelsLast(rows, c.Batch, c.Pixels);
}
