namespace NestQuant.Data.Tests.Corruptions;

/// <summary>The noise has the distribution that its parameters promise, on large grey pictures where clipping plays no part.</summary>
public sealed class NoiseTests
{
    private const int Side = 200;

    [Theory]
    [InlineData("gaussian_noise", 1, 0.5f, 0.08)]
    [InlineData("speckle_noise", 1, 0.4f, 0.4 * 0.15)]
    [InlineData("shot_noise", 1, 0.5f, 0.0912870929)] // sqrt(0.5 / 60)
    public void Noise_has_the_mean_of_the_picture_and_its_own_deviation(string name, int severity, float grey, double deviation)
    {
        float[] result = Pictures.Constant(1, Side, Side, grey).Corrupted(name, severity, 1, Side, Side);
        double mean = result.Average();
        Assert.Equal(grey, mean, 5 * deviation / Side);
        Assert.Equal(deviation, Math.Sqrt(result.Average(value => (value - mean) * (value - mean))), 0.02 * deviation);
    }

    [Theory]
    [InlineData(1, 0.03)]
    [InlineData(5, 0.27)]
    public void Impulses_are_black_and_white_in_equal_shares(int severity, double share)
    {
        float[] result = Pictures.Constant(1, Side, Side, 0.5f).Corrupted("impulse_noise", severity, 1, Side, Side);
        double tolerance = 5 * Math.Sqrt(share) / Side;
        Assert.Equal(share / 2, result.Count(value => value == 0) / (double)result.Length, tolerance);
        Assert.Equal(share / 2, result.Count(value => value == 1) / (double)result.Length, tolerance);
        Assert.Equal(1 - share, result.Count(value => value == 0.5f) / (double)result.Length, 2 * tolerance);
    }

    [Fact]
    public void Shot_noise_counts_photons()
    {
        float[] result = Pictures.Textured(1, 32, 32).Corrupted("shot_noise", 5, 1, 32, 32);
        Assert.All(result.Where(value => value < 1), value => Assert.Equal(MathF.Round(value * 50), value * 50, 4));
    }

    [Theory]
    [InlineData(8, 0.04)]
    [InlineData(33, 0.04)]
    [InlineData(64, 0.18)]
    [InlineData(65, 0.38)]
    public void Small_pictures_have_milder_noise(int side, double deviation)
    {
        int severity = deviation == 0.04 ? 1 : 5;
        double squares = 0;
        int samples = 1 + (40_000 / (3 * side * side));
        for (int sample = 0; sample < samples; sample++)
        {
            float[] grey = Pictures.Constant(3, side, side, 0.5f);
            double distance = Pictures.Distance(grey, grey.Corrupted("gaussian_noise", severity, 3, side, side, sample: sample));
            squares += distance * distance / samples;
        }

        // Clipping at 0 and 1 shortens the widest noise.
        Assert.InRange(Math.Sqrt(squares), deviation * 0.8, deviation * 1.02);
    }
}
