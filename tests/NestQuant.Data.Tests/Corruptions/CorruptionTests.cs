using CsCheck;
using NestQuant.Data.Corruptions;

namespace NestQuant.Data.Tests.Corruptions;

public sealed class CorruptionTests
{
    private static readonly (int Channels, int Height, int Width)[] Shapes = [(1, 8, 8), (3, 24, 32), (3, 57, 64), (3, 68, 66)];

    // Some neighbouring severities are the same but for chance: motion_blur's 3 and 4 for small pictures have one kernel.
    private const double Slack = 0.05;

    // Larger pictures vary less from one to the next, except in how thick a random cloud is.
    private const int SmallArea = 1024;

    public static TheoryData<string> Names => [.. CorruptionCatalog.All.Select(corruption => corruption.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Severity_increases_the_distortion(string name)
    {
        // A grey picture has no saturation to change.
        foreach (var (channels, height, width) in Shapes.Where(shape => shape.Channels == 3 || name != "saturate"))
        {
            double[] distances = [.. Enumerable.Range(1, 5).Select(severity => MeanDistance(name, severity, channels, height, width))];
            string found = $"{name} at {channels}x{height}x{width}: {string.Join(", ", distances)}";
            foreach ((int from, int to) in Steps(name))
                Assert.True(distances[to - 1] >= (1 - Slack) * distances[from - 1], found);
            Assert.True(distances[^1] > distances[0] || name == "saturate", found);
            Assert.True(distances[0] > 0, found);
        }
    }

    // By design the first two severities of saturate pale the picture and the others do the contrary, and those of glass_blur trade its
    // sigma for its rounds.
    private static (int From, int To)[] Steps(string name) => name switch
    {
        "saturate" => [(1, 2), (3, 4), (4, 5)],
        "glass_blur" => [(1, 5)],
        _ => [(1, 2), (2, 3), (3, 4), (4, 5)],
    };

    private static double MeanDistance(string name, int severity, int channels, int height, int width) =>
        Enumerable.Range(0, height * width <= SmallArea || name == "fog" ? 8 : 3).Average(sample =>
    {
        float[] pixels = Pictures.Textured(channels, height, width, seed: sample);
        return Pictures.Distance(pixels, pixels.Corrupted(name, severity, channels, height, width, sample: sample));
    });

    [Theory]
    [MemberData(nameof(Names))]
    public void Any_picture_stays_in_range_and_comes_out_the_same_again(string name)
    {
        Gen<float> pixel = Gen.OneOf(Gen.Const(0f), Gen.Const(1f), Gen.Float[0, 1]);
        Gen.Select(Gen.OneOf(Gen.Const(1), Gen.Const(3)), Gen.Int[1, 20], Gen.Int[1, 20], Gen.Int[1, 5])
            .SelectMany((channels, height, width, severity) => pixel.Array[channels * height * width]
                .Select(pixels => (pixels, channels, height, width, severity)))
            .Sample(
                (pixels, channels, height, width, severity) =>
                {
                    float[] result = pixels.Corrupted(name, severity, channels, height, width, seed: 3, sample: 5);
                    Assert.All(result, value => Assert.InRange(value, 0f, 1f));
                    Assert.Equal(result, pixels.Corrupted(name, severity, channels, height, width, seed: 3, sample: 5));
                },
                iter: 60);
    }

    [Theory]
    [InlineData("gaussian_noise")]
    [InlineData("shot_noise")]
    [InlineData("impulse_noise")]
    [InlineData("speckle_noise")]
    [InlineData("glass_blur")]
    [InlineData("motion_blur")]
    [InlineData("snow")]
    [InlineData("fog")]
    public void Random_corruptions_differ_by_seed_and_sample(string name)
    {
        float[] pixels = Pictures.Textured(3, 16, 16);
        float[] first = pixels.Corrupted(name, 3, 3, 16, 16);
        Assert.NotEqual(first, pixels.Corrupted(name, 3, 3, 16, 16, seed: 1));
        Assert.NotEqual(first, pixels.Corrupted(name, 3, 3, 16, 16, sample: 1));
    }

    [Fact]
    public void Names_are_those_of_the_benchmark()
    {
        string[] names = [.. CorruptionCatalog.All.Select(corruption => corruption.Name)];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.All(names, name => Assert.Same(CorruptionCatalog.All[Array.IndexOf(names, name)], CorruptionCatalog.Find(name)));
        Assert.Null(CorruptionCatalog.Find("frost"));
    }

    [Fact]
    public void Wrong_arguments_are_refused()
    {
        Corruption corruption = CorruptionCatalog.All[0];
        Assert.Throws<ArgumentException>(() => corruption.Apply(new float[8], 2, 2, 2, 1));
        Assert.Throws<ArgumentException>(() => corruption.Apply(new float[8], 1, 2, 2, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => corruption.Apply(new float[4], 1, 2, 2, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => corruption.Apply(new float[4], 1, 2, 2, 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => corruption.Apply([], 1, 0, 2, 1));
    }
}
