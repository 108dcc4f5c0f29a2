namespace NestQuant.Compiler.Cli.Tests;

/// <summary>Files sorted by what a device fetches for which precision, and put together again.</summary>
public sealed class SplitTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Deliveries_come_back_as_the_files_that_were_split()
    {
        string model = Tool.CompileCnn(_folder);
        string lines = Split(model).ShouldSucceed().Out;
        Assert.Equal(2, lines.TrimEnd('\n').Split('\n').Length);
        Assert.Superset(
            new HashSet<string> { "cnn.high.bin", "cnn.part.onnx", "delivery.json" }, new HashSet<string>(Names("deliveries/bits-6")));
        Assert.Equal(["cnn.low.bin", "cnn.onnx", "delivery.json"], Names("deliveries/bits-8"));

        Assert.Equal(_folder["device/cnn.part.onnx"] + "\n", Join("bits-6").ShouldSucceed().Out);
        Tool.Run("verify", _folder["device/cnn.part.onnx"]).ShouldSucceed();
        Assert.Equal(_folder["device/cnn.onnx"] + "\n", Join("bits-8").ShouldSucceed().Out);
        Tool.Run("verify", _folder["device/cnn.onnx"]).ShouldSucceed();
        foreach (string name in Names("device"))
            Assert.Equal(File.ReadAllBytes(_folder[name]), File.ReadAllBytes(_folder["device/" + name]));
    }

    [Fact]
    public void Every_level_is_a_delivery_and_all_can_be_joined_at_once()
    {
        Tool.Run("compile", Golden.Cnn, "-o", _folder["cnn.onnx"], "--nest", "8:6:4").ShouldSucceed();
        Split(_folder["cnn.onnx"]).ShouldSucceed();
        Assert.Equal(["bits-4", "bits-6", "bits-8"], Names("deliveries"));
        Join("bits-4", "bits-6", "bits-8").ShouldSucceed();
        Tool.Run("verify", _folder["device/cnn.onnx"]).ShouldSucceed();
        Tool.Run("verify", _folder["device/cnn.part.6.onnx"]).ShouldSucceed();
    }

    [Fact]
    public void A_delivery_needs_those_before_it()
    {
        Split(Tool.CompileCnn(_folder)).ShouldSucceed();
        Join("bits-8").ShouldFail(1, "which is missing in");
        Assert.False(Directory.Exists(_folder["device"]));
        Join("bits-6").ShouldSucceed();
        File.WriteAllText(_folder["device/cnn.high.bin"], "another");
        Join("bits-8").ShouldFail(1, "needs 'cnn.high.bin', which is of another compilation");
    }

    [Theory]
    [InlineData("content", "is not the file that was split")]
    [InlineData("missing", "no such file")]
    [InlineData("manifest", "is damaged")]
    [InlineData("path", "is damaged")]
    [InlineData("no manifest", "no such file")]
    public void A_damaged_delivery_writes_nothing(string damage, string error)
    {
        Split(Tool.CompileCnn(_folder)).ShouldSucceed();
        string high = _folder["deliveries/bits-6/cnn.high.bin"], manifest = _folder["deliveries/bits-6/delivery.json"];
        byte[] content = File.ReadAllBytes(high);
        content[^1] ^= 1;
        if (damage == "content")
            File.WriteAllBytes(high, content);
        if (damage == "missing")
            File.Delete(high);
        if (damage == "manifest")
            File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("\"files\"", "\"file\"", StringComparison.Ordinal));
        if (damage == "path")
            File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("cnn.high.bin", "../cnn.high.bin", StringComparison.Ordinal));
        if (damage == "no manifest")
            File.Delete(manifest);
        Join("bits-6").ShouldFail(1, error);
        Assert.False(Directory.Exists(_folder["device"]));
    }

    [Fact]
    public void Only_whole_models_can_be_split()
    {
        string model = Tool.CompileCnn(_folder);
        Split(Golden.Cnn).ShouldFail(1, "no nested weights");
        Split(_folder["cnn.part.onnx"]).ShouldFail(1, "no part model");
        File.WriteAllBytes(_folder["cnn.low.bin"], new byte[10]);
        Split(model).ShouldFail(1, "cnn.low.bin");
        Assert.False(Directory.Exists(_folder["deliveries"]));
    }

    private IEnumerable<string> Names(string folder) =>
        new DirectoryInfo(_folder[folder]).EnumerateFileSystemInfos().Select(entry => entry.Name).Order(StringComparer.Ordinal);

    private ToolRun Split(string model) => Tool.Run("split", model, "-o", _folder["deliveries"]);

    private ToolRun Join(params string[] deliveries) =>
        Tool.Run(["join", .. deliveries.Select(name => _folder["deliveries/" + name]), "-o", _folder["device"]]);
}
