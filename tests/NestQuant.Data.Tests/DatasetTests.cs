using System.IO.Compression;
using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Data.Tests;

public sealed class DatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void An_archive_streams_all_its_arrays_in_step(CompressionLevel level)
    {
        WriteArchive("d.npz", level, ("a", Ramp([5, 2])), ("labels", NpyArray.FromInt64s([5], [4, 3, 2, 1, 0])), ("b", Ramp([5])));

        DatasetBatch[] batches = [.. Dataset.Open(_folder.File("d.npz")).ReadBatches(2)];

        Assert.Equal([2, 2, 1], batches.Select(batch => batch.Samples));
        Assert.Equal(["a", "b"], batches[0].Inputs.Select(input => input.Name));
        Assert.Equal([4f, 5f, 6f, 7f], batches[1].Inputs[0].Array.ToFloats());
        Assert.Equal([2f, 3f], batches[1].Inputs[1].Array.ToFloats());
        Assert.Equal([2L, 1L], batches[1].Labels);
    }

    [Fact]
    public void The_only_array_of_an_archive_needs_no_name()
    {
        WriteArchive("d.npz", CompressionLevel.Optimal, ("arr_0", Ramp([3, 2])));
        DatasetBatch batch = Dataset.Open(_folder.File("d.npz")).ReadBatches(8).Single();
        Assert.Null(batch.Inputs[0].Name);
        Assert.Null(batch.Labels);
    }

    [Fact]
    public void Labels_may_be_text()
    {
        Ramp([3, 2]).Write(_folder.File("d.npy"));
        _folder.Write("labels.txt", "7\n8\r\n9\n"u8);
        DatasetBatch batch = Dataset.Open(_folder.File("d.npy"), new DatasetOptions { Labels = _folder.File("labels.txt") })
            .ReadBatches(8)
            .Single();
        Assert.Equal([7L, 8L, 9L], batch.Labels);
    }

    [Fact]
    public void Bad_archives_are_one_clear_error()
    {
        _folder.Write("garbage.npz", "PK not really"u8);
        _folder.Write("empty.npz", []);
        WriteArchive("uneven.npz", CompressionLevel.Optimal, ("a", Ramp([5, 2])), ("b", Ramp([4])));
        WriteArchive("labels-only.npz", CompressionLevel.Optimal, ("labels", NpyArray.FromInt64s([1], [1])));
        WriteEntry("text.npz", "readme.txt", "hello"u8);
        WriteEntry("damaged.npz", "a.npy", "not an array"u8);

        Refused("garbage.npz", "not a .npz archive");
        Refused("empty.npz", "not a .npz archive");
        Refused("uneven.npz", "'b' has 4 samples");
        Refused("labels-only.npz", "no inputs");
        Refused("text.npz", "'readme.txt' is not a .npy array");
        Refused("damaged.npz", "not a .npy array");
    }

    [Fact]
    public void A_damaged_archive_never_ends_in_anything_but_a_model_exception()
    {
        WriteArchive("good.npz", CompressionLevel.Optimal, ("a", Ramp([50, 2])), ("b", Ramp([50])));
        byte[] good = File.ReadAllBytes(_folder.File("good.npz"));
        var random = new Random(1);
        for (int i = 0; i < 300; i++)
        {
            byte[] bad = good[..(i % 3 == 0 ? random.Next(good.Length) : good.Length)];
            if (bad.Length > 0)
                bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            _folder.Write("bad.npz", bad);
            try
            {
                foreach (DatasetBatch batch in Dataset.Open(_folder.File("bad.npz")).ReadBatches(7))
                    Assert.InRange(batch.Samples, 1, 7);
            }
            catch (ModelException e)
            {
                Assert.DoesNotContain("\n", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Pictures_are_labelled_by_the_order_of_their_folders()
    {
        _folder.Write("images/b/1.png", TestPng.Rgb(2, 2, (x, y) => (0, 0, 255)));
        _folder.Write("images/a/2.png", TestPng.Rgb(2, 2, (x, y) => (255, 0, 51)));
        _folder.Write("images/a/1.png", TestPng.Rgb(2, 2, (x, y) => (x == 0 ? (byte)0 : (byte)255, y == 0 ? (byte)0 : (byte)255, 0)));
        var options = new DatasetOptions
        {
            Image = new ImageOptions { Height = 2, Width = 2, Mean = [0.5f, 0, 0], Deviation = [0.5f, 1, 2] },
        };

        DatasetBatch batch = Dataset.Open(_folder.File("images"), options).ReadBatches(8).Single();

        Assert.Equal([0L, 0L, 1L], batch.Labels);
        NpyArray array = batch.Inputs[0].Array;
        Assert.Equal([3, 3, 2, 2], array.Shape);
        float[] expected =
        [
            -1, 1, -1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0.1f, 0.1f, 0.1f, 0.1f, -1, -1, -1, -1, 0, 0, 0, 0, 0.5f, 0.5f,
            0.5f, 0.5f
        ];
        Assert.Equal(expected, array.ToFloats().Select(value => MathF.Round(value, 6)));
    }

    [Theory]
    [InlineData(4, 2)]
    [InlineData(9, 3)]
    [InlineData(2, 5)]
    [InlineData(3, 3)]
    public void Scaling_keeps_a_constant_and_the_mean_of_a_ramp(int from, int to)
    {
        _folder.Write("i/ramp.png", TestPng.Rgb(from, from, (x, y) => ((byte)(x * 20), (byte)(y * 20), 100)));
        var options = new DatasetOptions { Image = new ImageOptions { Height = to, Width = to } };

        float[] values = Dataset.Open(_folder.File("i"), options).ReadBatches(1).Single().Inputs[0].Array.ToFloats();

        float[] red = values[..(to * to)];
        Assert.Equal((from - 1) * 10 / 255f, red.Average(), 1e-4f);
        Assert.All(values[(2 * to * to)..], value => Assert.Equal(100 / 255f, value, 1e-5f));
        for (int x = 1; x < to; x++)
            Assert.True(red[x] >= red[x - 1]);
    }

    [Fact]
    public void One_channel_models_get_luminance()
    {
        _folder.Write("i/white.png", TestPng.Rgb(1, 1, (x, y) => (255, 255, 255)));
        var options = new DatasetOptions { Image = new ImageOptions { Height = 1, Width = 1, Channels = 1 } };
        NpyArray array = Dataset.Open(_folder.File("i"), options).ReadBatches(1).Single().Inputs[0].Array;
        Assert.Equal([1, 1, 1, 1], array.Shape);
        Assert.Equal(1f, array.ToFloats()[0], 0.005f);
    }

    [Fact]
    public void Jpeg_pictures_are_read()
    {
        _folder.Write("i/grey.jpg", GreyJpeg());
        var options = new DatasetOptions { Image = new ImageOptions { Height = 8, Width = 8 } };
        float[] values = Dataset.Open(_folder.File("i"), options).ReadBatches(1).Single().Inputs[0].Array.ToFloats();
        Assert.All(values, value => Assert.Equal(192 / 255f, value, 0.005f));
    }

    [Fact]
    public void A_damaged_picture_never_ends_in_anything_but_a_model_exception()
    {
        byte[][] good = [TestPng.Rgb(16, 16, (x, y) => ((byte)(x * y), 7, (byte)y)), GreyJpeg()];
        var options = new DatasetOptions { Image = new ImageOptions { Height = 4, Width = 4 } };
        var random = new Random(3);
        for (int i = 0; i < 400; i++)
        {
            byte[] bad = [.. good[i % 2]];
            for (int flips = random.Next(1, 6); flips > 0; flips--)
                bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            _folder.Write("i/p.png", bad);
            try
            {
                Assert.Single(Dataset.Open(_folder.File("i"), options).ReadBatches(1));
            }
            catch (ModelException e)
            {
                Assert.Contains("p.png", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Bad_pictures_and_folders_are_one_clear_error()
    {
        byte[] good = TestPng.Rgb(8, 8, (x, y) => (1, 2, 3));
        _folder.Write("text/1.png", "not a picture"u8);
        _folder.Write("cut/1.png", good.AsSpan(0, good.Length / 2));
        _folder.Write("mixed/1.png", good);
        _folder.Write("mixed/a/1.png", good);
        Directory.CreateDirectory(_folder.File("none"));

        Refused("text", "not a PNG or JPEG picture");
        Refused("cut", "it is truncated");
        Refused("mixed", "both in the folder and in its sub-folders");
        Refused("none", "neither test_data_set_*");
    }

    [Fact]
    public void Test_data_that_is_no_tensor_is_refused()
    {
        _folder.Write("t/test_data_set_0/input_0.pb", "\x0f not a tensor"u8);
        Refused("t", "input_0.pb");
    }

    private void Refused(string name, string message)
    {
        var error = Assert.Throws<ModelException>(() => Dataset.Open(_folder.File(name)).ReadBatches(4).Count());
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", error.Message, StringComparison.Ordinal);
    }

    // A baseline JPEG of one 8x8 block, by hand: all quantizers 8, one code each in the Huffman tables, and a DC term of 64, so that
    // every pixel is 128 + 64.
    private static byte[] GreyJpeg() =>
    [
        0xFF, 0xD8,
        0xFF, 0xDB, 0, 67, 0, .. Enumerable.Repeat((byte)8, 64),
        0xFF, 0xC0, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0,
        0xFF, 0xC4, 0, 20, 0x00, 1, .. new byte[15], 7,
        0xFF, 0xC4, 0, 20, 0x10, 1, .. new byte[15], 0,
        0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0,
        0x40, 0x7F,
        0xFF, 0xD9,
    ];

    private static NpyArray Ramp(IReadOnlyList<long> shape)
    {
        float[] values = new float[shape.Aggregate(1L, (product, extent) => product * extent)];
        for (int i = 0; i < values.Length; i++)
            values[i] = i;
        return NpyArray.FromFloats(shape, values);
    }

    private void WriteArchive(string name, CompressionLevel level, params (string Name, NpyArray Array)[] arrays)
    {
        using ZipArchive archive = ZipFile.Open(_folder.File(name), ZipArchiveMode.Create);
        foreach (var (entry, array) in arrays)
        {
            using Stream stream = archive.CreateEntry(entry + ".npy", level).Open();
            array.Write(stream);
        }
    }

    private void WriteEntry(string name, string entry, ReadOnlySpan<byte> content)
    {
        using ZipArchive archive = ZipFile.Open(_folder.File(name), ZipArchiveMode.Create);
        using Stream stream = archive.CreateEntry(entry).Open();
        stream.Write(content);
    }
}
