using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Sessions;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Sessions;

public sealed class LoadCheckTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nestquant-load-");

    private string Sound => Save("sound.onnx", "n: a = Neg(x)", "m: y = Neg(a)");

    private string Damaged => Save("damaged.onnx", "n: a = Neg(x)", "n: y = Neg(a)");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void AModelThatLoadsPasses() => Assert.Null(LoadCheck.Verify([Sound], Sound));

    [Fact]
    public void WhatDoesNotLoadThoughItsSourceDoesIsADefect()
    {
        string message = Assert.Throws<ModelException>(() => LoadCheck.Verify([Sound, Damaged], Sound)).Message;
        Assert.StartsWith(
            "damaged.onnx: ONNX Runtime loads the source, but not the result", message, StringComparison.Ordinal);
        Assert.Contains("two nodes with same node name (n)", message, StringComparison.Ordinal);
        Assert.DoesNotContain(_folder.FullName, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void NothingIsToldOfAResultWhoseSourceDoesNotLoad()
    {
        string unknown = Save("unknown.onnx", "y = somewhere.Unknown(x)");
        Assert.Contains("somewhere", LoadCheck.Verify([unknown], unknown)!, StringComparison.Ordinal);
    }

    [Fact]
    public void ALibraryThatIsNoneIsRefused() =>
        Assert.Contains(
            "no such operator library",
            Assert.Throws<ModelException>(() => LoadCheck.WhyNot(Sound, "/nowhere.so")).Message,
            StringComparison.Ordinal);

    private string Save(string name, params string[] nodes)
    {
        GraphBuilder graph = new GraphBuilder().Input("x", 2);
        foreach (string node in nodes) graph.Node(node);
        string path = Path.Combine(_folder.FullName, name);
        ModelFile.Save(graph.Output("y").Model(domains: "somewhere"), path);
        return path;
    }
}
