namespace NestQuant.Data.Tests.Corruptions;

public sealed class ToneTests
{
    private const int Side = 80;

    [Theory]
    [InlineData(1, 0.4)]
    [InlineData(5, 0.05)]
    public void Contrast_keeps_each_channels_mean_and_scales_its_deviations(int severity, double factor)
    {
        float[] pixels = Pictures.Textured(3, Side, Side);
        float[] result = pixels.Corrupted("contrast", severity, 3, Side, Side);
        foreach (float[][] channel in pixels.Chunk(Side * Side).Zip(result.Chunk(Side * Side), (before, after) => new[] { before, after }))
        {
            double mean = channel[0].Average();
            Assert.Equal(mean, channel[1].Average(), 1e-5);
            Assert.All(channel[0].Zip(channel[1]), pair => Assert.Equal((pair.First - mean) * factor, pair.Second - mean, 1e-5));
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(3, 5)]
    public void Brightness_raises_the_largest_channel_and_keeps_the_ratios(int channels, int severity)
    {
        float[] pixels = Pictures.Textured(channels, Side, Side);
        pixels[0] = 0;
        float[] result = pixels.Corrupted("brightness", severity, channels, Side, Side);
        for (int i = 1; i < Side * Side; i++)
        {
            float[] before = [.. Enumerable.Range(0, channels).Select(channel => pixels[(channel * Side * Side) + i])];
            float[] after = [.. Enumerable.Range(0, channels).Select(channel => result[(channel * Side * Side) + i])];
            Assert.Equal(Math.Min(before.Max() + (severity * 0.1f), 1), after.Max(), 1e-5f);
            Assert.All(before.Zip(after), pair => Assert.Equal(pair.First / before.Max(), pair.Second / after.Max(), 1e-5f));
        }
    }

    [Theory]
    [InlineData(1, 0.3)]
    [InlineData(2, 0.1)]
    public void Saturate_scales_the_saturation_and_keeps_the_value(int severity, double factor)
    {
        float[] pixels = Pictures.Textured(3, Side, Side);
        float[] result = pixels.Corrupted("saturate", severity, 3, Side, Side);
        for (int i = 0; i < Side * Side; i++)
        {
            float[] before = [pixels[i], pixels[i + (Side * Side)], pixels[i + (2 * Side * Side)]];
            float[] after = [result[i], result[i + (Side * Side)], result[i + (2 * Side * Side)]];
            Assert.Equal(before.Max(), after.Max(), 1e-5f);
            Assert.Equal(factor * (1 - (before.Min() / before.Max())), 1 - (after.Min() / after.Max()), 1e-5);
        }
    }

    [Fact]
    public void Saturate_leaves_one_channel_alone_and_reddens_grey()
    {
        float[] grey = Pictures.Textured(1, Side, Side);
        Assert.Equal(grey, grey.Corrupted("saturate", 5, 1, Side, Side));
        float[] result = Pictures.Constant(3, Side, Side, 0.5f).Corrupted("saturate", 5, 3, Side, Side);
        Assert.Equal((0.5f, 0.4f, 0.4f), (result[0], result[Side * Side], result[^1]));
    }

    [Fact]
    public void Jpeg_keeps_flat_colour_to_its_steps_and_loses_fine_detail_first()
    {
        float[] grey = Pictures.Constant(3, 20, 24, 128 / 255f);
        Assert.Equal(grey, grey.Corrupted("jpeg_compression", 1, 3, 20, 24));

        // A faint checkerboard is the highest frequency, which the coarse table drops whole.
        float[] checkers = [.. Enumerable.Range(0, Side * Side).Select(i => (128 + ((((i / Side) + i) & 1) == 0 ? 8 : -8)) / 255f)];
        Assert.All(checkers.Corrupted("jpeg_compression", 5, 1, Side, Side), value => Assert.Equal(128 / 255f, value));
    }

    [Fact]
    public void Jpeg_gives_whole_bytes()
    {
        float[] result = Pictures.Textured(3, 13, 9).Corrupted("jpeg_compression", 3, 3, 13, 9);
        Assert.All(result, value => Assert.Equal(MathF.Round(value * 255), value * 255, 1e-4f));
    }
}
