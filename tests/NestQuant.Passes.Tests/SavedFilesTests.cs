using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Export;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests;

/// <summary>The files of a compiled model: which there are, what they share, and how large they are.</summary>
public sealed class SavedFilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nestquant-files-");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>9/32 of the weights, what is kept for each channel, and about 1 KB per node in each of two graphs.</summary>
    [Theory]
    [InlineData("digits-cnn")]
    [InlineData("digits-cnn-bn")]
    [InlineData("digits-mbv2")]
    [InlineData("digits-gnl")]
    [InlineData("digits-gnl-sparse")]
    public void AllFilesTogetherAreAFractionOfTheWeightsAndSmallerThanTheSource(string name)
    {
        ModelProto source = GoldenModel.Load(name);
        long weights = TensorWalk.Tensors(source).Where(static tensor => tensor.DataType == TensorDataType.Float)
            .Sum(static tensor => tensor.ByteCount);
        long bytes = Save(source, new NestedBits(8, 6)).Sum(static file => file.Bytes);
        Assert.InRange(bytes, 1, Math.Min((0.32 * weights) + (2048 * source.AllNodes().Count()), ModelFile.ToBytes(source).Length));
    }

    [Fact]
    public void WhatIsLargeAndNotNestedLiesInOneFileOfBothModels()
    {
        Save(Source(), new NestedBits(8, 6));
        Assert.Equal(["m.data.bin", "m.high.bin", "m.low.bin", "m.onnx", "m.part.onnx"], Names());
        Assert.Equal(2 * 256, new FileInfo(Path("m.data.bin")).Length); // "large" and the scales of the weight's channels
        foreach (string name in new[] { "m.onnx", "m.part.onnx" })
        {
            ModelProto model = ModelFile.Load(Path(name));
            string?[] groups = [.. model.Graph!.Initializer.Select(static tensor => tensor.ExternalGroup)];
            Assert.Equal("data", groups[model.Graph.Initializer.FindIndex(static tensor => tensor.Name == "large")]);
            Assert.Null(groups[model.Graph.Initializer.FindIndex(static tensor => tensor.Name == "small")]);
            Assert.Contains("m.data.bin", model.MetadataProps.Single(static entry => entry.Key == "nestquant.files").Value);
        }
    }

    [Fact]
    public void OnlyTheWholeModelHasTheDecisions()
    {
        Save(GoldenModel.Load("digits-cnn"), new NestedBits(8, 6));
        ModelProto part = ModelFile.Load(Path("m.part.onnx"));
        Assert.NotEmpty(Provenance.ReadDecisions(ModelFile.Load(Path("m.onnx")))!.Decisions);
        Assert.Null(Provenance.ReadDecisions(part));
        byte[] before = ModelFile.ToBytes(part);
        Assert.Equal(before, ModelFile.ToBytes(NestQuantCompiler.Compile(part, new CompilerOptions()).Model));
    }

    [Fact]
    public void FilesOfAnEarlierCompilationGo()
    {
        Save(Source(), new NestedBits(8, 6, 4));
        Assert.Equal(
            ["m.data.bin", "m.high.bin", "m.low.6.bin", "m.low.8.bin", "m.onnx", "m.part.6.onnx", "m.part.onnx"], Names());
        File.WriteAllText(Path("m.notes.bin"), "of the user");
        Save(GoldenModel.Load("digits-cnn"), new NestedBits(8, 6));
        Assert.Equal(["m.high.bin", "m.low.bin", "m.notes.bin", "m.onnx", "m.part.onnx"], Names());
        NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), new CompilerOptions()).Save(Path("m.onnx"));
        Assert.Equal(["m.notes.bin", "m.onnx"], Names());
    }

    [Fact]
    public void AnExportedModelIsOneFile()
    {
        Save(Source(), new NestedBits(8, 6));
        CompileResult exported = ModelExport.ToQdq(ModelFile.Load(Path("m.onnx")), new ExportOptions { Bits = 6 });
        Assert.Equal([Path("q.onnx")], exported.Save(Path("q.onnx")).Select(static file => file.Path));
    }

    private static ModelProto Source() => new GraphBuilder().Input("x", 1, 40).Random("W", 40, 64).Random("large", 1, 64).Random("small", 1)
        .Node("a = MatMul(x, W)").Node("b = Mul(a, large)").Node("c = Abs(b)").Node("y = Mul(c, small)").Output("y").Model();

    private IReadOnlyList<SavedFile> Save(ModelProto source, NestedBits bits) =>
        NestQuantCompiler.Compile(source, new CompilerOptions { Weights = new() { Bits = bits } }).Save(Path("m.onnx"));

    private string Path(string name) => System.IO.Path.Combine(_folder.FullName, name);

    private string[] Names() => [.. _folder.EnumerateFiles().Select(static file => file.Name).Order(StringComparer.Ordinal)];
}
