using System.Diagnostics;
using NestQuant.Onnx.Files;
using NestQuant.TestSupport;

namespace NestQuant.Onnx.Tests.Files;

/// <summary>What a model may name as external data, and what happens when it changes.</summary>
public sealed class ExternalDataTests : IDisposable
{
    private static readonly LoadOptions AllowLinks = new() { AllowLinks = true };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void LinksAreRefusedUnlessAllowed()
    {
        File.WriteAllBytes(_folder.File("w.bin"), new byte[8]);
        File.CreateSymbolicLink(_folder.File("symbolic.bin"), "w.bin");
        Assert.NotNull(Load(null, ("location", "w.bin")));
        LoadTests.AssertRefused(() => Load(null, ("location", "symbolic.bin")), "is a symbolic link");
        Assert.NotNull(Load(AllowLinks, ("location", "symbolic.bin")));

        Run("ln", _folder.File("w.bin"), _folder.File("hard.bin"));
        LoadTests.AssertRefused(() => Load(null, ("location", "hard.bin")), "has 2 hard links");
        LoadTests.AssertRefused(() => Load(null, ("location", "w.bin")), "has 2 hard links");
        Assert.NotNull(Load(AllowLinks, ("location", "hard.bin")));
    }

    [Fact]
    public void ALinkedFolderWithinTheModelsFolderIsNoLink()
    {
        Directory.CreateDirectory(_folder.File("data"));
        Directory.CreateSymbolicLink(_folder.File("alias"), "data");
        File.WriteAllBytes(_folder.File("data/w.bin"), new byte[8]);

        Assert.NotNull(Load(null, ("location", "alias/w.bin")));
    }

    [Fact]
    public void AModelInACacheOfLinksLoadsWhenLinksAreAllowed()
    {
        // As hubs store models: the names are links to files that lie side by side elsewhere.
        Directory.CreateDirectory(_folder.File("blobs"));
        Directory.CreateDirectory(_folder.File("snapshot"));
        File.WriteAllBytes(_folder.File("secret.bin"), new byte[8]);
        File.WriteAllBytes(_folder.File("blobs/1"), new byte[8]);
        File.WriteAllBytes(_folder.File("blobs/2"), LoadTests.External(("location", "w.bin")));
        File.CreateSymbolicLink(_folder.File("snapshot/w.bin"), "../blobs/1");
        File.CreateSymbolicLink(_folder.File("snapshot/m.onnx"), "../blobs/2");

        LoadTests.AssertRefused(() => ModelFile.Load(_folder.File("snapshot/m.onnx")), "outside the model's folder");
        Assert.NotNull(ModelFile.Load(_folder.File("snapshot/m.onnx"), AllowLinks));

        File.Delete(_folder.File("snapshot/w.bin"));
        File.CreateSymbolicLink(_folder.File("snapshot/w.bin"), "../secret.bin");
        LoadTests.AssertRefused(() => ModelFile.Load(_folder.File("snapshot/m.onnx"), AllowLinks), "outside the model's folder");
    }

    [Fact]
    public void KeysAreKnownAndGivenOnce()
    {
        File.WriteAllBytes(_folder.File("w.bin"), new byte[8]);
        LoadTests.AssertRefused(() => Load(AllowLinks, ("location", "w.bin"), ("location", "w.bin")), "'location' twice");
        LoadTests.AssertRefused(() => Load(AllowLinks, ("location", "w.bin"), ("__class__", "x")), "unknown external data key '__class__'");
        Assert.NotNull(
            Load(
                null, ("location", "w.bin"), ("checksum", "00"), ("basepath", ""), ("prepacked_1", "a|0;4;0"), ("prepacked_1", "b|4;4;0")));
    }

    [Theory]
    [InlineData("pipe")]
    [InlineData("link to a device")]
    public void OnlyRegularFilesAreOpened(string name)
    {
        Run("mkfifo", _folder.File("pipe"));
        File.CreateSymbolicLink(_folder.File("link to a device"), "/dev/zero");

        LoadTests.AssertRefused(() => Load(null, ("location", name)), $"'{name}' of tensor 'w'");
        LoadTests.AssertRefused(() => ModelFile.Load(_folder.File(name)), "not a regular file");
    }

    [Fact]
    public void DataThatShrinksIsAnErrorAndNoSignal()
    {
        File.WriteAllBytes(_folder.File("w.bin"), new byte[8]);
        var tensor = Load(null, ("location", "w.bin")).Graph!.Initializer[0];
        using (var file = File.Open(_folder.File("w.bin"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(4);

        LoadTests.AssertRefused(() => tensor.GetBytes(), "w.bin' changed while it was read");
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto() };
        model.Graph.Initializer.Add(tensor);
        LoadTests.AssertRefused(() => ModelFile.Save(model, _folder.File("copy.onnx")), "changed while it was read");
        Assert.Equal(["w.bin", "x.onnx"], _folder.Names());
    }

    [Fact]
    public void APartOfTheContentIsReadAlone()
    {
        byte[] bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        File.WriteAllBytes(_folder.File("w.bin"), bytes);
        var external = Load(null, ("location", "w.bin")).Graph!.Initializer[0];
        var inside = TensorProto.FromBytes("w", TensorDataType.Float, [2], bytes);
        foreach (var tensor in new[] { external, inside })
        {
            var part = new byte[3];
            tensor.CopyBytes(5, part);
            Assert.Equal([6, 7, 8], part);
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.CopyBytes(6, part));
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.CopyBytes(-1, part));
        }

        // What lies behind the part may be gone: nobody looks at it.
        using (var file = File.Open(_folder.File("w.bin"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            file.SetLength(4);
        external.CopyBytes(0, new byte[4]);
        LoadTests.AssertRefused(() => external.CopyBytes(4, new byte[4]), "changed while it was read");
    }

    [Fact]
    public void DataWhoseNameIsGivenToAnotherFileStaysWhatItWas()
    {
        File.WriteAllBytes(_folder.File("w.bin"), [.. BitConverter.GetBytes(1f), .. BitConverter.GetBytes(2f)]);
        var tensor = Load(null, ("location", "w.bin")).Graph!.Initializer[0];
        File.Delete(_folder.File("w.bin"));
        File.WriteAllBytes(_folder.File("w.bin"), new byte[8]);

        Assert.Equal([1f, 2f], tensor.ToFloats());
    }

    [Fact]
    public void SavingDoesNotReplaceTheDataOfAnotherModel()
    {
        File.WriteAllBytes(_folder.File("y.onnx.data"), new byte[8]);
        var model = Load(null, ("location", "y.onnx.data"));

        LoadTests.AssertRefused(() => ModelFile.Save(model, _folder.File("y.onnx")), "would replace");
        Assert.Equal(["x.onnx", "y.onnx.data"], _folder.Names());
    }

    private ModelProto Load(LoadOptions? options, params (string Key, string Value)[] entries)
    {
        File.WriteAllBytes(_folder.File("x.onnx"), LoadTests.External(entries));
        return ModelFile.Load(_folder.File("x.onnx"), options);
    }

    private static void Run(string program, params string[] arguments) => Process.Start(program, arguments).WaitForExit();
}
