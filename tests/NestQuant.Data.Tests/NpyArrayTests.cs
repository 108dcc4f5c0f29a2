using System.Text;
using CsCheck;
using NestQuant.Onnx;

namespace NestQuant.Data.Tests;

public sealed class NpyArrayTests
{
    private static readonly Gen<NpyArray> Arrays =
        from type in Gen.Enum<NpyType>()
        from shape in Gen.Int[0, 5].Select(extent => (long)extent).Array[0, 4]
        from seed in Gen.Int
        select Random(type, shape, seed);

    [Fact]
    public void What_is_written_is_read_again() => Arrays.Sample(array => AssertEqual(array, Read(Bytes(array))));

    [Fact]
    public void Big_endian_elements_are_swapped() => Arrays.Sample(array =>
    {
        int size = array.Type.Size();
        byte[] swapped = array.Bytes.ToArray();
        for (int i = 0; i < swapped.Length; i += size)
            Array.Reverse(swapped, i, size);
        AssertEqual(
            array, Read(File($"{{'descr': '>{array.Type.Code()}', 'fortran_order': False, 'shape': {Tuple(array.Shape)}, }}", swapped)));
    });

    [Fact]
    public void Fortran_order_is_transposed() => Arrays.Sample(array =>
    {
        byte[] fortran = ToFortran(array);
        AssertEqual(
            array, Read(File($"{{'descr': '<{array.Type.Code()}', 'fortran_order': True, 'shape': {Tuple(array.Shape)}, }}", fortran)));
    });

    [Fact]
    public void Rows_are_those_of_the_whole_array()
    {
        NpyArray array = Random(NpyType.Int16, [7, 3, 2], seed: 1);
        using NpyReader reader = Open(Bytes(array));
        var rows = new List<byte>();
        for (int expected = 3; reader.ReadRows(3) is { } batch; expected = expected == 3 && rows.Count == 2 * 36 ? 1 : 3)
        {
            Assert.Equal([expected, 3, 2], batch.Shape);
            rows.AddRange(batch.Bytes);
        }

        Assert.Equal(array.Bytes.ToArray(), rows);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Format_versions_differ_in_the_header_only(byte version)
    {
        byte[] file = File("{'shape': (2,), 'descr': '<i4', 'fortran_order': False}", [1, 0, 0, 0, 255, 255, 255, 255], version);
        Assert.Equal([1, -1], Read(file).ToInt64s());
    }

    [Fact]
    public void Headers_are_numpys_own()
    {
        byte[] file = Bytes(NpyArray.FromFloats([2, 3], new float[6]));
        Assert.Equal(0, (file.Length - 24) % 64);
        Assert.StartsWith(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } ",
            Encoding.ASCII.GetString(file, 10, 70),
            StringComparison.Ordinal);
        Assert.Equal((byte)'\n', file[file.Length - 25]);
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "truncated")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "followed by other data")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "not possible")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "not possible")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 2), }", "not possible")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "not an integer")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", "quoted string")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", "lacks")]
    [InlineData("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", "twice")]
    [InlineData("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "'<c8' is not supported")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "not supported")]
    [InlineData("{'descr': '<U4', 'fortran_order': False, 'shape': (2,), }", "not supported")]
    [InlineData("{'descr': '', 'fortran_order': False, 'shape': (2,), }", "not supported")]
    [InlineData("{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,), }", "structured")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", "follows")]
    [InlineData("__import__('os')", "expected")]
    [InlineData("", "expected")]
    [InlineData("{'descr", "not closed")]
    public void A_hostile_header_is_one_clear_error(string header, string message)
    {
        var error = Assert.Throws<ModelException>(() => Read(File(header, new byte[8])));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_huge_claim_costs_no_memory()
    {
        byte[] file = File("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 100), }", new byte[8]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ModelException>(() => Read(file));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Damaged_files_never_end_in_anything_but_a_model_exception()
    {
        byte[] good = Bytes(Random(NpyType.Int32, [3, 4], seed: 2));
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length]).Sample((position, value, length) =>
        {
            byte[] bad = good[..length];
            if (position < length)
                bad[position] = value;
            try
            {
                Assert.InRange(Read(bad).Count, 0, good.Length);
            }
            catch (ModelException)
            {
            }
        });
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var error = Assert.Throws<ModelException>(() => NpyArray.Read("no/such/file.npy"));
        Assert.Contains("no/such/file.npy: no such file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Conversions_keep_values_or_fail()
    {
        NpyArray integers = NpyArray.From<int>(NpyType.Int32, [3], [-1, 0, 300]);
        Assert.Equal([-1f, 0f, 300f], integers.ToFloats());
        Assert.Equal([-1L, 0L, 300L], integers.ToInt64s());
        Assert.Throws<ModelException>(() => integers.ConvertTo(NpyType.UInt8));
        Assert.Throws<ModelException>(() => integers.ConvertTo(NpyType.Boolean));
        Assert.Throws<ModelException>(() => NpyArray.FromFloats([1], [1f]).ToInt64s());
        Assert.Equal([1f, 0f], NpyArray.From<byte>(NpyType.Boolean, [2], [1, 0]).ToFloats());
        Assert.Equal([0.5f], NpyArray.From<Half>(NpyType.Float16, [1], [(Half)0.5]).ToFloats());
    }

    private static NpyArray Random(NpyType type, IReadOnlyList<long> shape, int seed)
    {
        byte[] bytes = new byte[shape.Aggregate(1L, (product, extent) => product * extent) * type.Size()];
        new Random(seed).NextBytes(bytes);
        return new NpyArray(type, shape, bytes);
    }

    private static byte[] Bytes(NpyArray array)
    {
        using var stream = new MemoryStream();
        array.Write(stream);
        return stream.ToArray();
    }

    private static byte[] File(string header, byte[] data, byte version = 1)
    {
        byte[] text = Encoding.Latin1.GetBytes(header + "\n");
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes(text.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. data];
    }

    private static string Tuple(IReadOnlyList<long> shape) => $"({string.Concat(shape.Select(extent => $"{extent}, "))})";

    private static NpyReader Open(byte[] file) => NpyReader.Open(new MemoryStream(file), file.Length, "test");

    private static NpyArray Read(byte[] file)
    {
        using NpyReader reader = Open(file);
        return reader.ReadToEnd();
    }

    // Index arithmetic of its own, element by element, so that it cannot share a fault with the reader.
    private static byte[] ToFortran(NpyArray array)
    {
        int size = array.Type.Size();
        byte[] result = new byte[array.Bytes.Length];
        for (int position = 0; position < array.Count; position++)
        {
            long rest = position;
            long target = 0;
            for (int axis = array.Shape.Count - 1; axis >= 0; axis--)
            {
                long index = rest % array.Shape[axis];
                rest /= array.Shape[axis];
                target += index * array.Shape.Take(axis).Aggregate(1L, (product, extent) => product * extent);
            }

            array.Bytes.Slice(position * size, size).CopyTo(result.AsSpan((int)target * size));
        }

        return result;
    }

    private static void AssertEqual(NpyArray expected, NpyArray actual)
    {
        Assert.Equal(expected.Type, actual.Type);
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(expected.Bytes.ToArray(), actual.Bytes.ToArray());
    }
}
