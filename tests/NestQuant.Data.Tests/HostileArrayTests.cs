using System.IO.Compression;
using NestQuant.Onnx;
using NestQuant.TestSupport;

namespace NestQuant.Data.Tests;

/// <summary>Arrays and archives that cost far more than their size.</summary>
public sealed class HostileArrayTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("(1, 52428800)", "False")]
    [InlineData("(1024, 51200)", "True")]
    public void A_deflated_array_is_not_inflated_at_once(string shape, string fortranOrder)
    {
        byte[] header = Header($"{{'descr': '<f4', 'fortran_order': {fortranOrder}, 'shape': {shape}, }}");
        using (ZipArchive archive = ZipFile.Open(_folder.File("bomb.npz"), ZipArchiveMode.Create))
        {
            using Stream stream = archive.CreateEntry("x.npy", CompressionLevel.Fastest).Open();
            stream.Write(header);
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 200; i++)
                stream.Write(zeros);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused("bomb.npz", "far more than the file");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    [Fact]
    public void An_archive_of_more_arrays_than_a_model_takes_is_refused()
    {
        byte[] array = [.. Header("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }"), 0];
        using (ZipArchive archive = ZipFile.Open(_folder.File("many.npz"), ZipArchiveMode.Create))
        {
            for (int i = 0; i <= 1000; i++)
            {
                using Stream stream = archive.CreateEntry($"a{i}.npy", CompressionLevel.NoCompression).Open();
                stream.Write(array);
            }
        }

        Refused("many.npz", "the archive holds 1001 arrays: more than 1000 are not supported");
    }

    [Fact]
    public void Many_arrays_are_read_in_turns()
    {
        using (ZipArchive archive = ZipFile.Open(_folder.File("some.npz"), ZipArchiveMode.Create))
        {
            for (int i = 0; i < 50; i++)
            {
                using Stream stream = archive.CreateEntry(
                    $"a{i}.npy", i % 2 == 0 ? CompressionLevel.Fastest : CompressionLevel.NoCompression).Open();
                NpyArray.FromInt64s([4, 500], [.. Enumerable.Range(0, 2000).Select(k => (long)i * k)]).Write(stream);
            }
        }

        int row = 0;
        foreach (DatasetBatch batch in Dataset.Open(_folder.File("some.npz")).ReadBatches(1))
        {
            for (int i = 0; i < 50; i++)
                Assert.Equal(Enumerable.Range(500 * row, 500).Select(k => (long)i * k), batch.Inputs[i].Array.ToInt64s());
            row++;
        }

        Assert.Equal(4, row);
    }

    [Fact]
    public void Samples_without_elements_are_counted_only_in_proportion_to_the_file()
    {
        _folder.Write("endless.npy", Header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 0), }"));
        _folder.Write("few.npy", Header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 0), }"));
        Refused("endless.npy", "1000000000000 samples without elements are not a data set");
        Assert.Equal(3, Dataset.Open(_folder.File("few.npy")).ReadBatches(2).Sum(batch => batch.Samples));
    }

    [Theory]
    [InlineData(-1, -4)]
    [InlineData(1L << 62, 4)]
    [InlineData(5, 1)]
    public void A_tensor_whose_shape_is_not_its_content_is_refused(long rows, long columns)
    {
        // TensorProto: dims = 1, data_type = 2 (float), raw_data = 9.
        byte[] tensor = [0x08, .. Varint(rows), 0x08, .. Varint(columns), 0x10, 1, 0x4A, 16, .. new byte[16]];
        _folder.Write("t/test_data_set_0/input_0.pb", tensor);
        Refused("t", "input_0.pb");
    }

    [Fact]
    public void Labels_take_memory_in_proportion_to_their_file()
    {
        _folder.Write("x.npy", [.. Header("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }"), 1, 2]);
        string labels = _folder.Write("labels.txt", [.. Enumerable.Repeat("7\r\n"u8.ToArray(), 1 << 20).SelectMany(line => line)]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        ModelException e = Assert.Throws<ModelException>(() => Dataset.Open(_folder.File("x.npy"), new DatasetOptions { Labels = labels }));
        Assert.Contains("2 samples, but 1048576 labels", e.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 5 * (3 << 20));
    }

    private static byte[] Varint(long value)
    {
        var bytes = new List<byte>();
        ulong rest = (ulong)value;
        for (; rest >= 0x80; rest >>= 7)
            bytes.Add((byte)(rest | 0x80));
        return [.. bytes, (byte)rest];
    }

    private static byte[] Header(string text) =>
        [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, 0, .. System.Text.Encoding.ASCII.GetBytes(text)];

    private void Refused(string name, string message)
    {
        var error = Assert.Throws<ModelException>(() => Dataset.Open(_folder.File(name)).ReadBatches(4).Count());
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", error.Message, StringComparison.Ordinal);
    }
}
