using NestQuant.Data.Corruptions;
using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Data.Tests.Corruptions;

public sealed class CorruptedDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("gaussian_noise")]
    [InlineData("motion_blur")]
    [InlineData("fog")]
    public void Batches_do_not_change_the_samples(string name)
    {
        Dataset source = Write([11, 3, 8, 8], Pictures.Textured(33, 8, 8));
        float[] whole = Read(new CorruptedDataset(source, CorruptionCatalog.Find(name)!, 4), 11);
        Assert.Equal(whole, Read(new CorruptedDataset(source, CorruptionCatalog.Find(name)!, 4), 3));
        Assert.Equal(whole, Read(new CorruptedDataset(source, CorruptionCatalog.Find(name)!, 4), 1));
        Assert.NotEqual(
            whole, Read(new CorruptedDataset(source, CorruptionCatalog.Find(name)!, 4, new CorruptionOptions { Seed = 1 }), 11));
    }

    [Fact]
    public void Normalised_values_are_corrupted_as_pixels()
    {
        float[] pixels = Pictures.Textured(3, 8, 8);
        (float[] mean, float[] deviation) = ([0.5f, 0.4f, 0.3f], [0.25f, 0.2f, 0.5f]);
        float[] stored = [.. pixels.Select((pixel, i) => (pixel - mean[i / 64]) / deviation[i / 64])];
        float[] read = Read(new CorruptedDataset(
            Write(
                [1, 3, 8, 8],
                stored), CorruptionCatalog.Find("contrast")!, 5, new CorruptionOptions { Mean = mean, Deviation = deviation }), 1);
        float[] expected = pixels.Corrupted("contrast", 5, 3, 8, 8);
        Assert.All(
            read.Select((value, i) => ((value * deviation[i / 64]) + mean[i / 64], expected[i])),
            pair => Assert.Equal(pair.Item2, pair.Item1, 1e-5f));
    }

    [Fact]
    public void Rank_three_is_one_channel()
    {
        float[] pixels = Pictures.Textured(1, 8, 8);
        float[] read = Read(new CorruptedDataset(Write([1, 8, 8], pixels), CorruptionCatalog.Find("snow")!, 1), 1);
        Assert.Equal(pixels.Corrupted("snow", 1, 1, 8, 8), read);
    }

    [Fact]
    public void Data_that_is_no_picture_is_refused()
    {
        Refused([2, 64], 0.5f, new CorruptionOptions(), "not that of pictures");
        Refused([2, 4, 4, 4], 0.5f, new CorruptionOptions(), "1 or 3 channels");
        Refused([1, 3, 4, 4], 2f, new CorruptionOptions(), "mean and standard deviation");
        Refused([1, 3, 4, 4], float.NaN, new CorruptionOptions(), "mean and standard deviation");
        Refused([1, 3, 4, 4], 0.5f, new CorruptionOptions { Mean = [0, 0] }, "2 values of mean do not fit 3 channels");
        Refused([1, 3, 4, 4], 0.5f, new CorruptionOptions { Deviation = [0] }, "std must be positive");
    }

    private void Refused(long[] shape, float value, CorruptionOptions options, string message)
    {
        float[] values = new float[shape.Aggregate(1L, (product, extent) => product * extent)];
        Array.Fill(values, value);
        var data = new CorruptedDataset(Write(shape, values), CorruptionCatalog.All[0], 1, options);
        ModelException error = Assert.Throws<ModelException>(() => Read(data, 2));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private Dataset Write(long[] shape, float[] values)
    {
        string path = _folder.File("x.npy");
        NpyArray.FromFloats(shape, values).Write(path);
        return Dataset.Open(path);
    }

    private static float[] Read(Dataset data, int batch) =>
        [.. data.ReadBatches(batch).SelectMany(part => part.Inputs[0].Array.ToFloats())];
}
