using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.TestSupport;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class ExportTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_compiled_model_becomes_one_file_of_standard_operators()
    {
        string compiled = Tool.CompileCnn(_folder, "--calibrate", Golden.Path("train-images.npy"));
        ToolRun run = Tool.Run("export", compiled, "--bits", "6", "-o", _folder["qdq/cnn.onnx"]).ShouldSucceed();

        Assert.Contains("standard ones at 6 bits", run.Out, StringComparison.Ordinal);
        Assert.Equal(["cnn.onnx"], Directory.EnumerateFiles(_folder["qdq"]).Select(Path.GetFileName));
        Assert.All(ModelFile.Load(_folder["qdq/cnn.onnx"]).AllNodes(), node => Assert.True(node.IsDefaultDomain()));
        Tool.Run("evaluate", _folder["qdq/cnn.onnx"], "--data", Golden.Images, "--labels", Golden.Labels).ShouldSucceed();
    }

    [Fact]
    public void Products_that_onnx_runtime_quantizes_by_itself_are_told_in_one_line()
    {
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 2, 3)
            .Random("w1", 3, 4)
            .Random("w2", 4, 5)
            .Node("h = MatMul(x, w1)")
            .Node("y = MatMul(h, w2)")
            .Output("y");
        ModelFile.Save(graph.Model(), _folder["m.onnx"]);
        Tool.Run("compile", _folder["m.onnx"], "-o", _folder["c.onnx"], "--nest", "8:6", "--activations", "none").ShouldSucceed();
        ToolRun run = Tool.Run("export", _folder["c.onnx"], "--bits", "8", "-o", _folder["q.onnx"]).ShouldSucceed();
        Assert.Contains("h and 1 more: its product becomes MatMulNBits", run.Out, StringComparison.Ordinal);
        Assert.Contains("session.qdq_matmulnbits_accuracy_level is 1\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_export_leaves_nothing()
    {
        string compiled = Tool.CompileCnn(_folder);
        string[] before = [.. _folder.Entries];
        Tool.Run("export", compiled, "--bits", "7", "-o", _folder["out/x.onnx"]).ShouldFail(1, "it runs at 8 or 6 bits");
        Tool.Run("export", Golden.Cnn, "--bits", "8", "-o", _folder["out/x.onnx"]).ShouldFail(1, "no nested weights");
        Tool.Run("export", compiled, "--bits", "8", "-o", compiled).ShouldFail(1, "would replace");
        Assert.Equal(before, _folder.Entries);
    }

    [Theory]
    [InlineData("export a.onnx -o b.onnx", "--bits")]
    [InlineData("export a.onnx -o b.onnx --bits 8,6", "one bit width")]
    [InlineData("export a.onnx --bits 8", "--output")]
    [InlineData("export a.onnx -o b.onnx --bits 8 --format onnx", "qdq is possible")]
    public void Wrong_usage_is_told(string arguments, string text) => Tool.Run(arguments.Split(' ')).ShouldFail(2, text);
}
