using NestQuant.Onnx;

namespace NestQuant.Data.Tests;

public sealed class SyntheticImagesTests
{
    private static readonly ModelInput[] Image = [new("x", NpyType.Float32, [-1, 3, 32, 32])];

    [Fact]
    public void ImagesAreStandardisedAndSmooth()
    {
        float[] values = Values(new SyntheticImages(Image));

        Assert.Equal(64 * 3 * 32 * 32, values.Length);
        double mean = values.Average(), variance = values.Average(value => (value - mean) * (value - mean));
        Assert.InRange(mean, -0.1, 0.1);
        Assert.InRange(variance, 0.6, 1.1);
        // Neighbours agree, and so do channels: white noise would have 2 * variance.
        Assert.InRange(MeanSquare(values, 1), 0, 0.5 * variance);
        Assert.InRange(MeanSquare(values, 32 * 32), 0, 1.3 * variance);
    }

    [Fact]
    public void TheyDependOnTheSeedAlone()
    {
        float[] values = Values(new SyntheticImages(Image, count: 5), size: 2);

        Assert.Equal(values, Values(new SyntheticImages(Image, count: 5), size: 5));
        Assert.NotEqual(values, Values(new SyntheticImages(Image, count: 5, seed: 1)));
        Assert.NotEqual(values[..3072], values[3072..6144]);
    }

    [Fact]
    public void PixelsAreNormalisedLikePictures()
    {
        var normalisation = new ImageOptions { Mean = [0.5f, 0.25f, 0], Deviation = [0.5f, 1, 2] };
        float[] plain = Values(new SyntheticImages(Image, count: 1));
        float[] values = Values(new SyntheticImages(Image, normalisation: normalisation, count: 1));

        for (int i = 0; i < values.Length; i++)
        {
            int channel = i / 1024;
            float pixel = Math.Clamp(0.5f + (0.25f * plain[i]), 0, 1);
            Assert.Equal((pixel - normalisation.Mean[channel]) / normalisation.Deviation[channel], values[i], 1e-6);
        }
    }

    [Fact]
    public void ChannelsMayBeLastAndSizesOpen()
    {
        ModelInput[] last = [new("x", NpyType.Float32, [1, -1, -1, 3])];
        var images = new SyntheticImages(last, (8, 16), count: 2);

        DatasetBatch batch = images.ReadBatches(2).Single();
        Assert.Equal([2, 8, 16, 3], batch.Inputs[0].Array.Shape);
        float[] first = Values(new SyntheticImages([new("x", NpyType.Float32, [1, 3, 8, 16])], count: 2));
        for (int i = 0; i < 8 * 16; i++)
            for (int channel = 0; channel < 3; channel++)
                Assert.Equal(first[(channel * 128) + i], batch.Inputs[0].Array.ToFloats()[(i * 3) + channel]);
    }

    [Theory]
    [InlineData("the model does not take one float image", new long[] { -1, 3, 32 })]
    [InlineData("input 'x' has no axis of 1 to 4 channels", new long[] { -1, 8, 32, 32 })]
    [InlineData("input 'x' leaves the size of its images open", new long[] { -1, 3, -1, -1 })]
    public void OtherInputsAreRefused(string message, long[] shape)
    {
        ModelException error = Assert.Throws<ModelException>(() => new SyntheticImages([new("x", NpyType.Float32, shape)]));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ANormalisationOfOtherChannelsIsRefused()
    {
        var normalisation = new ImageOptions { Mean = [0.5f, 0.25f] };
        ModelException error = Assert.Throws<ModelException>(() => new SyntheticImages(Image, normalisation: normalisation));
        Assert.Equal("2 values of mean do not fit 3 channels", error.Message);
    }

    private static double MeanSquare(float[] values, int distance) =>
        Enumerable.Range(0, values.Length - distance).Average(i => Math.Pow(values[i + distance] - values[i], 2));

    private static float[] Values(SyntheticImages images, int size = 64) =>
        [.. images.ReadBatches(size).SelectMany(batch => batch.Inputs[0].Array.ToFloats())];
}
