using System.Diagnostics;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx.Files;
using NestQuant.TestSupport;
using Reference = NestQuant.Onnx.Tests.Reference;

namespace NestQuant.Onnx.Tests.Files;

public sealed class SaveTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void SavingTwiceGivesTheSameBytesAndLeavesTheModelAsItWas()
    {
        var model = Sample.Linear();
        model.Graph!.Initializer[0].ExternalGroup = "high";
        var before = ModelFile.ToBytes(model);

        ModelFile.Save(model, _folder.File("a.onnx"));
        ModelFile.Save(model, _folder.File("sub/a.onnx"));

        Assert.Equal(before, ModelFile.ToBytes(model));
        Assert.False(model.Graph.Initializer[0].IsExternal);
        Assert.Equal(File.ReadAllBytes(_folder.File("a.onnx")), File.ReadAllBytes(_folder.File("sub/a.onnx")));
        Assert.Equal(File.ReadAllBytes(_folder.File("a.high.bin")), File.ReadAllBytes(_folder.File("sub/a.high.bin")));
        Assert.Equal(["a.high.bin", "a.onnx", "sub"], _folder.Names());
    }

    [Fact]
    public void GroupsGoToAlignedFilesOfTheirOwnAndComeBack()
    {
        var model = Sample.Linear();
        model.Graph!.Initializer[0].ExternalGroup = "high";
        model.Graph.Initializer[1].ExternalGroup = "high";
        model.Graph.Initializer.Add(TensorProto.FromBytes("l", TensorDataType.UInt8, [3], [1, 2, 3]));
        model.Graph.Initializer[2].ExternalGroup = "low";

        var files = ModelFile.Save(model, _folder.File("m.onnx"));

        Assert.Equal(
            [("m.high.bin", 4096L + 16), ("m.low.bin", 3L), ("m.onnx", new FileInfo(_folder.File("m.onnx")).Length)],
            files.Select(f => (Path.GetFileName(f.Path), f.Bytes)));
        var reference = Reference.ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder.File("m.onnx")));
        Assert.Equal(
            ["location=m.high.bin", "offset=4096", "length=16"],
            reference.Graph.Initializer[1].ExternalData.Select(e => $"{e.Key}={e.Value}"));
        Assert.False(reference.Graph.Initializer[1].HasRawData);

        var loaded = ModelFile.Load(_folder.File("m.onnx"));
        Assert.Equal(["high", "high", "low"], loaded.Graph!.Initializer.Select(t => t.ExternalGroup));
        Assert.Equal([1f, 2, 3, 4], loaded.Graph.Initializer[1].ToFloats());
        ModelFile.Save(loaded, _folder.File("again/m.onnx"));
        Assert.Equal(File.ReadAllBytes(_folder.File("m.onnx")), File.ReadAllBytes(_folder.File("again/m.onnx")));
        Assert.Equal(ModelFile.ToBytes(model), ModelFile.ToBytes(loaded));
    }

    [Theory]
    [InlineData(ExternalDataMode.Always, new[] { "m.onnx", "m.onnx.data" })]
    [InlineData(ExternalDataMode.Never, new[] { "m.onnx" })]
    [InlineData(ExternalDataMode.Auto, new[] { "m.onnx" })]
    public void OnnxRuntimeRunsWhatIsSavedInEveryMode(ExternalDataMode mode, string[] names)
    {
        ModelFile.Save(Sample.Linear(), _folder.File("m.onnx"), new SaveOptions { ExternalData = mode });

        Assert.Equal(names, _folder.Names());
        Assert.Equal(Run(ModelFile.ToBytes(Sample.Linear())), Run(_folder.File("m.onnx")));
    }

    [Fact]
    public void ExternalTensorsStayExternalAndSmallOnesStayInside()
    {
        ModelFile.Save(Sample.Linear(), _folder.File("m.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Always });
        var model = ModelFile.Load(_folder.File("m.onnx"));
        Assert.Equal([true, false], model.Graph!.Initializer.Select(t => t.IsExternal));

        ModelFile.Save(model, _folder.File("copy.onnx"));
        Assert.Contains("copy.onnx.data", _folder.Names());
        ModelFile.Save(model, _folder.File("inside.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Never });
        Assert.Equal(ModelFile.ToBytes(Sample.Linear()), File.ReadAllBytes(_folder.File("inside.onnx")));
    }

    [Fact]
    public void AModelCanReplaceTheFilesItIsReadFrom()
    {
        var path = _folder.File("m.onnx");
        ModelFile.Save(Sample.Linear(), path, new SaveOptions { ExternalData = ExternalDataMode.Always });
        var model = ModelFile.Load(path);
        model.Graph!.Name = "renamed";
        ModelFile.Save(model, path);
        ModelFile.Save(model, path);

        var again = ModelFile.Load(path);
        Assert.Equal("renamed", again.Graph!.Name);
        Assert.Equal(Sample.Linear().Graph!.Initializer[0].ToFloats(), again.Graph.Initializer[0].ToFloats());
    }

    [Fact]
    public void ModelsSavedTogetherShareTheirFiles()
    {
        var full = Sample.Linear();
        var part = Sample.Linear();
        foreach (var tensor in full.Graph!.Initializer.Concat(part.Graph!.Initializer))
            tensor.ExternalGroup = "high";
        full.Graph.Initializer.Add(TensorProto.FromBytes("l", TensorDataType.UInt8, [3], [1, 2, 3]));
        full.Graph.Initializer[2].ExternalGroup = "low";

        var files = ModelFile.Save(
            [
                new ModelToSave(full, _folder.File("d.onnx")),
                new ModelToSave(part, _folder.File("d.part.onnx"), new SaveOptions { ExternalStem = "d" })
            ]);

        Assert.Equal(["d.high.bin", "d.low.bin", "d.onnx", "d.part.onnx"], files.Select(f => Path.GetFileName(f.Path)));
        Assert.Equal(4096 + 16, new FileInfo(_folder.File("d.high.bin")).Length);
        var loaded = ModelFile.Load(_folder.File("d.part.onnx"));
        Assert.Equal(["high", "high"], loaded.Graph!.Initializer.Select(t => t.ExternalGroup));
        Assert.Equal(Run(_folder.File("d.onnx")), Run(_folder.File("d.part.onnx")));
    }

    [Fact]
    public void TensorsOfSubgraphsFunctionsAndTrainingAreFound()
    {
        var model = Sample.Linear();
        var body = new GraphProto { Name = "body" };
        body.Initializer.Add(TensorProto.FromInt64s("in_body", [1], [5]));
        model.Graph!.Node.Add(
            Sample.Node(
                "If", ["b"], ["z"], AttributeProto.Graph("then_branch", body), AttributeProto.Graph("else_branch", new GraphProto())));
        model.Graph.Node.Add(Sample.Node("Constant", [], ["k"], AttributeProto.Tensor("value", TensorProto.FromFloats("", [1], [2]))));
        model.Functions.Add(new FunctionProto { Name = "f", Domain = "local" });
        model.Functions[0]
            .Node.Add(Sample.Node("Constant", [], ["k"], AttributeProto.Tensor("value", TensorProto.FromFloats("", [1], [3]))));
        model.TrainingInfo.Add(new TrainingInfoProto { Algorithm = new GraphProto { Name = "step" } });
        model.TrainingInfo[0].Algorithm!.Initializer.Add(TensorProto.FromFloats("rate", [1], [4]));
        var tensors = new[]
        {
            body.Initializer[0], model.Graph.Node[3].Attribute[0].T!, model.Functions[0].Node[0].Attribute[0].T!,
            model.TrainingInfo[0].Algorithm!.Initializer[0],
        };
        foreach (var tensor in tensors)
            tensor.ExternalGroup = "deep";

        ModelFile.Save(model, _folder.File("m.onnx"));

        Assert.Equal((3 * 64) + 4, new FileInfo(_folder.File("m.deep.bin")).Length);
        Assert.Equal(ModelFile.ToBytes(model), ModelFile.ToBytes(ModelFile.Load(_folder.File("m.onnx"))));
    }

    [Fact]
    public void TensorsOfEqualContentAreStoredOnceAndOthers64BytesApart()
    {
        var model = Sample.Linear();
        foreach (var (name, bytes) in new (string, byte[])[] { ("p", [1, 2]), ("q", [3]), ("r", [1, 2]), ("s", [2, 1]), ("t", [3, 0]) })
            model.Graph!.Initializer.Add(TensorProto.FromBytes(name, TensorDataType.UInt8, [bytes.Length], bytes));
        foreach (var tensor in model.Graph!.Initializer.Skip(2))
            tensor.ExternalGroup = "data";

        ModelFile.Save(model, _folder.File("m.onnx"));

        var reference = Reference.ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder.File("m.onnx")));
        Assert.Equal(
            ["p 0", "q 64", "r 0", "s 128", "t 192"],
            reference.Graph.Initializer.Skip(2).Select(t => $"{t.Name} {t.ExternalData.Single(e => e.Key == "offset").Value}"));
        Assert.Equal(194, new FileInfo(_folder.File("m.data.bin")).Length);
        Assert.Equal(ModelFile.ToBytes(model), ModelFile.ToBytes(ModelFile.Load(_folder.File("m.onnx"))));
    }

    [Fact]
    public void FailureLeavesWhatWasThereAndNothingElse()
    {
        var model = Sample.Linear();
        model.Graph!.Initializer[0].ExternalGroup = "high";
        ModelFile.Save(model, _folder.File("m.onnx"));
        var before = File.ReadAllBytes(_folder.File("m.high.bin"));

        // The data file could be written, the model file cannot: a folder is in its place.
        File.Delete(_folder.File("m.onnx"));
        Directory.CreateDirectory(_folder.File("m.onnx"));
        model.Graph.Initializer[0].RawData = new byte[4096];
        LoadTests.AssertRefused(() => ModelFile.Save(model, _folder.File("m.onnx")), "Cannot write");
        Assert.Equal(["m.high.bin", "m.onnx"], _folder.Names());
        Assert.Equal(before, File.ReadAllBytes(_folder.File("m.high.bin")));

        // A file where a folder should be; and folders made on the way disappear again.
        LoadTests.AssertRefused(() => ModelFile.Save(model, _folder.File("m.high.bin/x.onnx")), "Cannot write");
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => ModelFile.Save(model, _folder.File("new/deep/x.onnx"), null, cancelled.Token));
        Assert.Equal(["m.high.bin", "m.onnx"], _folder.Names());
    }

    [SkippableFact]
    public void FullDiskLeavesNothingBehind()
    {
        var disk = Directory.CreateDirectory(_folder.File("disk")).FullName;
        Skip.IfNot(
            OperatingSystem.IsLinux() && Command("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk),
            "needs the right to mount a small disk");
        try
        {
            var model = Sample.Linear();
            model.Graph!.Initializer[0].ExternalGroup = "high";
            ModelFile.Save(model, Path.Combine(disk, "m.onnx"));
            var before = File.ReadAllBytes(Path.Combine(disk, "m.onnx"));

            var data = new byte[1 << 20];
            Array.Fill(data, (byte)1);
            model.Graph.Initializer.Add(TensorProto.FromBytes("big", TensorDataType.UInt8, [data.Length], data));
            LoadTests.AssertRefused(() => ModelFile.Save(model, Path.Combine(disk, "m.onnx")), "No space left on device");

            Assert.Equal(
                ["m.high.bin", "m.onnx"],
                Directory.EnumerateFileSystemEntries(disk).Select(Path.GetFileName).Order(StringComparer.Ordinal));
            Assert.Equal(before, File.ReadAllBytes(Path.Combine(disk, "m.onnx")));
        }
        finally
        {
            Command("umount", disk);
        }
    }

    [Fact]
    public void NamesThatLeaveTheFolderAreRefused()
    {
        var model = Sample.Linear();
        model.Graph!.Initializer[0].ExternalGroup = "../../x";
        LoadTests.AssertRefused(() => ModelFile.Save(model, _folder.File("m.onnx")), "cannot contain a folder");
        Assert.Empty(_folder.Names());
    }

    [Fact]
    public void ReferenceReaderFindsEqualContentInEveryFile()
    {
        var model = Sample.Linear();
        ModelFile.Save(model, _folder.File("m.onnx"), new SaveOptions { ExternalData = ExternalDataMode.Always });
        var inline = Reference.ModelProto.Parser.ParseFrom(ModelFile.ToBytes(model));
        var external = Reference.ModelProto.Parser.ParseFrom(File.ReadAllBytes(_folder.File("m.onnx")));
        Assert.Equal(DataFileList.Key, Assert.Single(external.MetadataProps).Key);
        external.MetadataProps.Clear();

        var tensor = external.Graph.Initializer[0];
        var entries = tensor.ExternalData.ToDictionary(e => e.Key, e => e.Value, StringComparer.Ordinal);
        var data = File.ReadAllBytes(_folder.File(entries["location"]));
        tensor.RawData = ByteString.CopyFrom(data, int.Parse(entries["offset"], null), int.Parse(entries["length"], null));
        tensor.ExternalData.Clear();
        tensor.ClearDataLocation();
        Assert.Equal(inline, external);
    }

    private static bool Command(string name, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(name, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static float[] Run(string path) => Run(new InferenceSession(path));

    private static float[] Run(byte[] bytes) => Run(new InferenceSession(bytes));

    private static float[] Run(InferenceSession session)
    {
        using (session)
        {
            using var x = OrtValue.CreateTensorValueFromMemory([.. Enumerable.Range(0, 256).Select(i => i / 256f)], [1, 256]);
            using var options = new RunOptions();
            using var outputs = session.Run(options, ["x"], [x], ["y"]);
            return outputs[0].GetTensorDataAsSpan<float>().ToArray();
        }
    }
}
