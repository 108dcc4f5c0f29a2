namespace NestQuant.Data.Tests.Corruptions;

public sealed class BlurTests
{
    public static TheoryData<string> Blurs => ["gaussian_blur", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "pixelate"];

    [Theory]
    [MemberData(nameof(Blurs))]
    public void Kernels_sum_to_one(string name)
    {
        foreach (int side in new[] { 8, 48, 66 })
        {
            for (int severity = 1; severity <= 5; severity++)
            {
                float[] result = Pictures.Constant(3, side, side, 0.75f).Corrupted(name, severity, 3, side, side);
                Assert.All(result, value => Assert.Equal(0.75f, value, 1e-5f));
            }
        }
    }

    [Theory]
    [InlineData("gaussian_blur")]
    [InlineData("defocus_blur")]
    [InlineData("motion_blur")]
    public void A_point_spreads_without_loss(string name)
    {
        const int Side = 99;
        float[] point = new float[Side * Side];
        point[point.Length / 2] = 1;
        float[] result = point.Corrupted(name, 3, 1, Side, Side);
        Assert.Equal(1, result.Sum(), 1e-4f);
        Assert.True(result.Max() < 0.5);
        Assert.All(result, value => Assert.True(value >= 0));
    }

    [Fact]
    public void Defocus_is_a_disk()
    {
        const int Side = 99;
        float[] point = new float[Side * Side];
        point[point.Length / 2] = 1;
        // Radius 3: 29 pixels of equal weight but for the slight smoothing.
        float[] result = point.Corrupted("defocus_blur", 1, 1, Side, Side);
        Assert.Equal(29, result.Count(value => value > 0.5 / 29));
        Assert.All(result.Where(value => value > 0.5 / 29), value => Assert.Equal(1f / 29, value, 1e-4f));
    }

    [Fact]
    public void Gaussian_blur_has_its_deviation()
    {
        const int Side = 99;
        float[] point = new float[Side * Side];
        point[point.Length / 2] = 1;
        float[] result = point.Corrupted("gaussian_blur", 4, 1, Side, Side);
        double variance = 0;
        for (int i = 0; i < result.Length; i++)
            variance += result[i] * Math.Pow((i % Side) - (Side / 2), 2);
        Assert.Equal(16, variance, 0.05);
    }

    [Fact]
    public void Motion_blur_trails_to_one_side_of_a_line()
    {
        const int Side = 99;
        float[] point = new float[Side * Side];
        point[point.Length / 2] = 1;
        float[] result = point.Corrupted("motion_blur", 5, 1, Side, Side);
        int[] touched = [.. Enumerable.Range(0, result.Length).Where(i => result[i] > 0)];
        // 41 steps, of which an oblique line rounds some to the same pixel.
        Assert.InRange(touched.Length, 41 / Math.Sqrt(2), 41);
        Assert.All(touched, i => Assert.True(i % Side <= Side / 2));
        Assert.Contains(point.Length / 2, touched);
    }

    [Fact]
    public void Zoom_blur_keeps_the_centre_of_a_symmetric_picture()
    {
        const int Side = 33;
        float[] cone = new float[Side * Side];
        for (int i = 0; i < cone.Length; i++)
            cone[i] = Math.Max(0, 1 - (Math.Abs((i % Side) - 16) / 16f));
        float[] result = cone.Corrupted("zoom_blur", 5, 1, Side, Side);
        // Every row is the same, and away from the centre the enlargements raise the slope's values.
        Assert.All(Enumerable.Range(0, Side), y => Assert.Equal(result[8], result[(y * Side) + 8], 1e-5f));
        Assert.True(result[8] > cone[8]);
        Assert.True(result[16] <= 1);
    }

    [Fact]
    public void Pixelate_makes_blocks()
    {
        const int Side = 80;
        float[] pixels = Pictures.Textured(1, Side, Side);
        float[] result = pixels.Corrupted("pixelate", 5, 1, Side, Side); // a quarter of the side
        for (int y = 0; y < Side; y++)
        {
            for (int x = 0; x < Side; x++)
            {
                int corner = (y / 4 * 4 * Side) + (x / 4 * 4);
                double mean = Enumerable.Range(0, 16).Average(i => pixels[corner + (i / 4 * Side) + (i % 4)]);
                Assert.Equal(mean, result[(y * Side) + x], 1e-5);
            }
        }
    }

    [Fact]
    public void Fog_and_snow_brighten_black()
    {
        // Fog scales back to the brightest value, so a black picture stays black and one white pixel shows the cloud.
        float[] black = new float[64];
        Assert.Equal(black, black.Corrupted("fog", 5, 1, 8, 8));
        float[] spot = new float[64];
        spot[0] = 1;
        Assert.True(spot.Corrupted("fog", 5, 1, 8, 8).Average() > spot.Average() + 0.1);
        Assert.True(black.Corrupted("snow", 5, 1, 8, 8).Average() > 0.05);
    }
}
