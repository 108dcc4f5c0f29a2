using System.Text;
using CsCheck;
using Google.Protobuf;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Text;
using NestQuant.TestSupport;
using Reference = NestQuant.Onnx.Tests.Reference;

namespace NestQuant.Onnx.Tests.Files;

public sealed class LoadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void PathStreamAndMemoryGiveTheSameModel()
    {
        var path = TemporaryFolder.GoldenModel("digits-cnn.onnx");
        var bytes = File.ReadAllBytes(path);
        using var seekable = new MemoryStream(bytes);
        using var file = File.OpenRead(path);

        Assert.Equal(bytes, ModelFile.ToBytes(ModelFile.Load(path)));
        Assert.Equal(bytes, ModelFile.ToBytes(ModelFile.Load(seekable)));
        Assert.Equal(bytes, ModelFile.ToBytes(ModelFile.Load(file)));
        Assert.Equal(bytes, ModelFile.ToBytes(ModelFile.Load(bytes)));
    }

    [Fact]
    public void MissingFileAndFolderAreSaid()
    {
        AssertRefused(() => ModelFile.Load(_folder.File("none.onnx")), "none.onnx' does not exist");
        AssertRefused(() => ModelFile.Load(_folder.File("no/such/folder.onnx")), "does not exist");
        AssertRefused(() => ModelFile.Load(_folder.Path), "is a folder");
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n", "run 'git lfs pull'")]
    [InlineData("{\"model\": 1}", "JSON")]
    [InlineData("<!DOCTYPE html><html>", "HTML")]
    [InlineData("import torch\n", "a text file")]
    [InlineData("PK\u0003\u0004rest of a zip", "zip archive")]
    [InlineData("\0\0\0\0TFL3", "TensorFlow Lite")]
    public void WhatIsNotOnnxIsSaidToLookLikeWhatItIs(string content, string expected)
    {
        var path = _folder.File("x.onnx");
        File.WriteAllText(path, content, new UTF8Encoding(false));
        AssertRefused(() => ModelFile.Load(path), expected);
        AssertRefused(() => ModelFile.Load(Encoding.UTF8.GetBytes(content)), expected);
    }

    [Fact]
    public void EveryTruncationIsRefusedOrStillAWholeModel()
    {
        var bytes = Sample.Model();
        for (var length = 0; length < bytes.Length; length++)
        {
            try
            {
                ModelFile.Load(bytes.AsMemory(0, length));
                Reference.ModelProto.Parser.ParseFrom(bytes, 0, length);
            }
            catch (ModelException e)
            {
                AssertOneLine(e);
            }
        }
    }

    [Fact]
    public void DamagedBytesNeverCrash()
    {
        var original = File.ReadAllBytes(TemporaryFolder.GoldenModel("digits-mbv2.onnx"));
        Gen.Select(Gen.Int[0, 8191], Gen.Byte).List[1, 20].Sample(edits =>
        {
            var bytes = original.ToArray();
            foreach (var (at, value) in edits)
                bytes[at] = value;
            try
            {
                var model = ModelFile.Load(bytes);
                ModelText.Print(model);
                ModelFile.ToBytes(model);
            }
            catch (ModelException e)
            {
                AssertOneLine(e);
            }
        }, iter: 300);
    }

    [Fact]
    public void DeepNestingIsRefusedInsteadOfOverflowingTheStack()
    {
        AssertRefused(() => ModelFile.Load(Nested(100_000)), "deeper than 100");

        // Groups are a wire type that the schema does not use; a reader has to walk them all the same.
        var groups = new byte[4_000_000];
        for (var i = 0; i < groups.Length; i += 2)
            (groups[i], groups[i + 1]) = (0x9b, 0x06);
        AssertRefused(() => ModelFile.Load(groups), "deeper than 100");

        // Real models nest a few levels of control flow.
        Assert.NotNull(ModelFile.Load(Nested(20)).Graph);
    }

    [Theory]
    [InlineData(new byte[] { 0x12, 0xff, 0xff, 0xff, 0xff, 0x07, 1 })]
    [InlineData(new byte[] { 0x3a, 10, 0x2a, 8, 0x22, 0xff, 0xff, 0xff, 0xff, 0x07, 1, 2 })]
    [InlineData(new byte[] { 0x3a, 10, 0x2a, 8, 0x4a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2 })]
    [InlineData(new byte[] { 0x3a, 4, 0x2a, 2, 0x4a, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 })]
    public void LengthsBeyondTheMessageAreRefusedWithoutAllocating(byte[] bytes)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ModelException>(() => ModelFile.Load(bytes));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 10_000_000);
    }

    [Fact]
    public void VersionsOutsideTheSupportedRangeAreNamed()
    {
        AssertRefused(Changed(m => m.Graph = null), "no graph");
        AssertRefused(Changed(m => m.ClearIrVersion()), "IR version");
        AssertRefused(Changed(m => m.IrVersion = 14), "IR version 14; versions up to 13");
        AssertRefused(Changed(m => m.OpsetImport.Clear()), "no operator set for the default domain");
        AssertRefused(Changed(m => m.OpsetImport[0].Domain = "com.other"), "no operator set for the default domain");
        AssertRefused(Changed(m => m.OpsetImport[0].Version = 27), "version 27 of the default operator set; versions 1 to 26");
        AssertRefused(Changed(m => m.OpsetImport[0].Version = 0), "version 0");
        Assert.NotNull(
            ModelFile.Load(Changed(m => (m.IrVersion, m.OpsetImport[0].Version, m.OpsetImport[0].Domain) = (13, 26, "ai.onnx"))));
    }

    [Fact]
    public void ExternalDataIsReadWhereTheModelSays()
    {
        File.WriteAllBytes(
            _folder.File("w.bin"), [9, 9, 9, 9, .. new byte[4092], .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)]);
        var model = LoadExternal(("location", "w.bin"), ("offset", "4096"), ("length", "8"));
        var tensor = model.Graph!.Initializer[0];

        Assert.True(tensor.IsExternal);
        Assert.Null(tensor.ExternalGroup);
        Assert.Equal([1.5f, -2f], tensor.ToFloats());

        // Offset and length have defaults: the start, and what the shape needs.
        Assert.Equal([9, 9, 9, 9, 0, 0, 0, 0], LoadExternal(("location", "w.bin")).Graph!.Initializer[0].GetBytes().ToArray());
    }

    [Fact]
    public void ExternalDataOfAModelInMemoryNeedsAFolder()
    {
        var bytes = External(("location", "w.bin"));
        File.WriteAllBytes(_folder.File("w.bin"), new byte[8]);

        Assert.Equal([0f, 0f], ModelFile.Load(bytes, _folder.Path).Graph!.Initializer[0].ToFloats());
        var tensor = ModelFile.Load(bytes).Graph!.Initializer[0];
        AssertRefused(() => tensor.ToFloats(), "'w.bin', which was not opened");
    }

    [Fact]
    public void BadExternalDataIsSaid()
    {
        File.WriteAllBytes(_folder.File("w.bin"), new byte[7]);
        AssertRefused(() => LoadExternal(("location", "none.bin")), "'none.bin' of tensor 'w' is missing");
        AssertRefused(() => LoadExternal(("location", "w.bin")), "too short: tensor 'w' needs 8 bytes at offset 0, the file has 7");
        AssertRefused(() => LoadExternal(("location", "w.bin"), ("offset", "9")), "too short");
        AssertRefused(() => LoadExternal(("location", "w.bin"), ("offset", "9223372036854775807"), ("length", "8")), "too short");
        AssertRefused(() => LoadExternal(("location", "w.bin"), ("offset", "-1")), "offset '-1', which is not a number");
        AssertRefused(
            () => LoadExternal(("location", "w.bin"), ("length", "4")).Graph!.Initializer[0].GetBytes(),
            "holds 4 bytes, but float[2] needs 8");
        AssertRefused(() => LoadExternal(("offset", "0")), "names no file");
    }

    [Fact]
    public void ExternalDataOutsideTheFolderIsRefused()
    {
        var inside = Directory.CreateDirectory(_folder.File("inside")).FullName;
        File.WriteAllBytes(_folder.File("secret.bin"), new byte[8]);
        File.CreateSymbolicLink(Path.Combine(inside, "link.bin"), "../secret.bin");
        Directory.CreateSymbolicLink(Path.Combine(inside, "linked"), _folder.Path);
        File.CreateSymbolicLink(Path.Combine(inside, "loop"), "loop/loop");

        foreach (
            var location in new[] { "../secret.bin", _folder.File("secret.bin"), "link.bin", "linked/secret.bin", "a/../../secret.bin" })
            AssertRefused(() => LoadExternal("inside/x.onnx", ("location", location)), "outside the model's folder");
        AssertRefused(() => LoadExternal("inside/x.onnx", ("location", "loop/loop")), "'loop/loop'");
        AssertRefused(() => LoadExternal("inside/x.onnx", ("location", "loop")), "'loop'");
    }

    internal static void AssertRefused(Action load, string expected)
    {
        var exception = Assert.Throws<ModelException>(load);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        AssertOneLine(exception);
    }

    private static void AssertRefused(byte[] bytes, string expected) => AssertRefused(() => ModelFile.Load(bytes), expected);

    private static void AssertOneLine(ModelException exception) => Assert.DoesNotContain('\n', exception.Message);

    private static byte[] Changed(Action<Reference.ModelProto> change)
    {
        var model = Reference.ModelProto.Parser.ParseFrom(Sample.Model());
        change(model);
        return model.ToByteArray();
    }

    internal static byte[] External(params (string Key, string Value)[] entries) => Changed(m =>
    {
        var tensor = new Reference.TensorProto
        {
            Name = "w",
            DataType = 1,
            Dims = { 2 },
            DataLocation = Reference.TensorProto.Types.DataLocation.External,
        };
        tensor.ExternalData.AddRange(entries.Select(e => new Reference.StringStringEntryProto { Key = e.Key, Value = e.Value }));
        m.Graph.Initializer[0] = tensor;
    });

    private ModelProto LoadExternal(params (string Key, string Value)[] entries) => LoadExternal("x.onnx", entries);

    private ModelProto LoadExternal(string name, params (string Key, string Value)[] entries)
    {
        File.WriteAllBytes(_folder.File(name), External(entries));
        return ModelFile.Load(_folder.File(name));
    }

    // The type field of an attribute that holds a graph.
    private static readonly byte[] GraphType = [0xa0, 0x01, 5];

    // Graphs in attributes of nodes of graphs, as If nests them; built from the inside out.
    private static byte[] Nested(int graphs)
    {
        var lengths = new int[graphs + 1][];
        var size = 0;
        for (var i = 0; i < graphs; i++)
        {
            lengths[i] = new int[3];
            for (var k = 0; k < 3; k++)
            {
                lengths[i][k] = size;
                size += 1 + CodedOutputStream.ComputeLengthSize(size) + (k == 0 ? GraphType.Length : 0);
            }
        }

        using var buffer = new MemoryStream();
        using (var output = new CodedOutputStream(buffer))
        {
            foreach (byte b in new byte[] { 8, 8, 0x42, 2, 16, 17, 0x3a })
                output.WriteRawTag(b);
            output.WriteLength(size);
            for (var i = graphs - 1; i >= 0; i--)
            {
                foreach (var (tag, k) in new[] { ((byte)0x0a, 2), ((byte)0x2a, 1), ((byte)0x32, 0) })
                {
                    if (k == 0)
                        output.WriteRawTag(GraphType[0], GraphType[1], GraphType[2]);
                    output.WriteRawTag(tag);
                    output.WriteLength(lengths[i][k]);
                }
            }
        }

        return buffer.ToArray();
    }
}
