using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Data.Tests;

/// <summary>Several inputs from files of their own.</summary>
public sealed class ArrayFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ArrayFilesTests()
    {
        Directory.CreateDirectory(_folder.File("d"));
        Write("d/ids.npy", 1, 2, 3);
        Write("d/mask.npy", 1, 1, 0);
        Write("d/labels.npy", 7, 8, 9);
        Write("short.npy", 1);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_holds_an_array_for_each_input()
    {
        DatasetBatch[] batches = [.. Dataset.Open(_folder.File("d")).ReadBatches(2)];

        Assert.Equal(["ids", "mask"], batches[0].Inputs.Select(input => input.Name));
        Assert.Equal([3L], batches[1].Inputs[0].Array.ToInt64s());
        Assert.Equal([7L, 8L], batches[0].Labels);
    }

    [Fact]
    public void Named_files_are_one_data_set()
    {
        Dataset data = Dataset.Open([$"a={_folder.File("d/ids.npy")}", $"b={_folder.File("d/mask.npy")}"]);

        DatasetBatch batch = data.ReadBatches(8).Single();

        Assert.Equal(["a", "b"], batch.Inputs.Select(input => input.Name));
        Assert.Equal([1L, 1L, 0L], batch.Inputs[1].Array.ToInt64s());
    }

    [Fact]
    public void Labels_beside_pictures_are_no_inputs()
    {
        File.Copy(_folder.File("short.npy"), Directory.CreateDirectory(_folder.File("p")).FullName + "/labels.npy");
        _folder.Write("p/1.png", TestPng.Rgb(1, 1, (x, y) => (1, 2, 3)));
        Assert.Equal(1, Dataset.Open(_folder.File("p"), new DatasetOptions { Image = new ImageOptions { Height = 1, Width = 1 } }).Count);
    }

    [Theory]
    [InlineData("several files are a data set when each has a name", "d/ids.npy", "d/mask.npy")]
    [InlineData("two arrays are called 'a'", "a=d/ids.npy", "a=d/mask.npy")]
    [InlineData("'b' has 1 samples, the arrays before it 3", "a=d/ids.npy", "b=short.npy")]
    [InlineData("there are labels but no inputs", "labels=d/ids.npy")]
    [InlineData("missing.npy", "a=missing.npy")]
    public void Files_that_are_no_data_set_are_one_clear_error(string message, params string[] files)
    {
        string[] sources = [.. files.Select(file => file.Split('=') is [var name, var path]
            ? $"{name}={_folder.File(path)}"
            : _folder.File(file))];
        string error = Assert.Throws<ModelException>(() => Dataset.Open(sources)).Message;
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", error, StringComparison.Ordinal);
    }

    private void Write(string name, params long[] values) => NpyArray.FromInt64s([values.Length], values).Write(_folder.File(name));
}
