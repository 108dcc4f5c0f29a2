using NestQuant.Data;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.TestSupport;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>
/// A model that version 0.1.0 compiled, with operands of layout version 1, that is without tags, and without a list of its files. The
/// folder Layout1 has it, an input, and its results at both precisions.
/// </summary>
public sealed class Layout1Tests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model.onnx", "8", "full.npy")]
    [InlineData("model.onnx", "6", "part.npy")]
    [InlineData("model.part.onnx", "6", "part.npy")]
    public void It_still_runs(string model, string bits, string expected) => RunsAs(expected, Old(model), "--bits", bits);

    [Fact]
    public void It_is_compiled_again_as_it_is()
    {
        Tool.Run("compile", Old("model.onnx"), "-o", _folder["again.onnx"], "--nest", "8:6").ShouldSucceed();
        Assert.All(
            NestedOperator.Of(ModelFile.Load(_folder["again.onnx"])), nested => Assert.Equal(1, nested.Layout.Version));
        RunsAs("full.npy", _folder["again.onnx"]);
        RunsAs("part.npy", _folder["again.part.onnx"]);
    }

    [Fact]
    public void It_is_exported()
    {
        Tool.Run("export", Old("model.onnx"), "--bits", "8", "-o", _folder["qdq.onnx"]).ShouldSucceed();
        RunsAs("full.npy", _folder["qdq.onnx"]);
    }

    [Fact]
    public void It_is_inspected_and_unpacked()
    {
        ToolRun run = Tool.Run("inspect", Old("model.onnx"), "--json", "--unpack", _folder["u"]).ShouldSucceed();
        Assert.Contains("\"tag\": null", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("sha256\":", run.Out.Replace("source_sha256\":", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["u/conv.w_int.npy"]));
    }

    [Theory]
    [InlineData("model.onnx")]
    [InlineData("model.part.onnx")]
    public void Verify_says_what_cannot_be_checked(string model)
    {
        ToolRun run = Tool.Run("verify", Old(model)).ShouldSucceed();
        Assert.Contains("note: the model does not list its data files", run.Out, StringComparison.Ordinal);
        Assert.Contains("note: 3 of 3 nested weights are of layout version 1", run.Out, StringComparison.Ordinal);
    }

    private static string Old(string name) => Path.Combine(Checkout.Root, "tests", "NestQuant.Compiler.Cli.Tests", "Layout1", name);

    private void RunsAs(string expected, string model, params string[] more)
    {
        Tool.Run(["run", model, "--input", Old("input.npy"), "-o", _folder["run"], .. more]).ShouldSucceed();
        float[] results = NpyArray.Read(_folder["run/y.npy"]).ToFloats();
        Assert.All(NpyArray.Read(Old(expected)).ToFloats().Zip(results), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
    }
}
