using NestQuant.Passes.Guard;

namespace NestQuant.Passes.Tests.Guard;

/// <summary>The search over errors that are known: the noise of the weights, and what every activation adds to it.</summary>
public sealed class GuardSearchTests
{
    [Fact]
    public void The_fewest_most_harmful_activations_are_kept()
    {
        GuardSearch search = Search(6, weights: 1, 0.5, 9, 0.25, 4, 0.5);
        Assert.False(FitsRounded(search));
        // 1 + 0.5 + 0.25 + 0.5 is within 6 dB of 1; with the 4 it is not.
        Assert.Equal([1, 3], search.Choose(5, static _ => { }).Kept);
    }

    [Fact]
    public void Nothing_is_kept_within_the_bound() => Assert.True(FitsRounded(Search(6, weights: 1, 1, 1, 0.5)));

    [Fact]
    public void An_accurate_output_needs_no_guard() => Assert.True(FitsRounded(Search(6, weights: 1e-9, 0.1)));

    [Fact]
    public void Everything_is_kept_where_every_activation_is_too_much() =>
        Assert.Equal([2, 0, 1], Search(0, weights: 10, 2, 1, 3).Choose(3, static _ => { }).Kept);

    private static bool FitsRounded(GuardSearch search) => search.Fits(search.Rounded);

    /// <summary>An output of energy 1000.</summary>
    private static GuardSearch Search(double decibels, double weights, params double[] activations)
    {
        return new GuardSearch(Errors(static _ => false, 1), decibels, Errors);

        OutputError[] Errors(Predicate<int> isRounded, int most)
        {
            double added = activations.Where((_, i) => isRounded(i)).Sum();
            return [new OutputError(1000, weights + added, added)];
        }
    }
}
