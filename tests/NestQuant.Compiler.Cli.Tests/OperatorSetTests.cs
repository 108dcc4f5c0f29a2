using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.TestSupport;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class OperatorSetTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public OperatorSetTests() => ModelFile.Save(
        new GraphBuilder().Input("x", 1, 3, 8, 8)
            .Random("W", 4, 3, 3, 3).Node("c = Conv(x, W)")
            .Node("y = Clip(c)", Onnx.AttributeProto.Float("min", 0), Onnx.AttributeProto.Float("max", 6))
            .Output("y").Model(opset: 9),
        _folder["old.onnx"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Nesting_upgrades_an_old_model_and_says_so()
    {
        ToolRun run = Tool.Run("compile", _folder["old.onnx"], "-o", _folder["new.onnx"], "--nest", "8:6").ShouldSucceed();

        Assert.Contains("operator-set: operator set 9 -> 18\n", run.Out, StringComparison.Ordinal);
        Assert.Equal(18, ModelFile.Load(_folder["new.onnx"]).OpsetVersion());
        Tool.Run("export", _folder["new.onnx"], "--bits", "8", "-o", _folder["qdq.onnx"]).ShouldSucceed();
    }

    [Fact]
    public void The_version_can_be_chosen_also_in_a_file()
    {
        Tool.Run("compile", _folder["old.onnx"], "-o", _folder["a.onnx"], "--opset", "13").ShouldSucceed();
        Assert.Equal(13, ModelFile.Load(_folder["a.onnx"]).OpsetVersion());

        File.WriteAllText(_folder["n.json"], "{ \"opset\": 11 }");
        Tool.Run("compile", _folder["old.onnx"], "-o", _folder["b.onnx"], "--config", _folder["n.json"]).ShouldSucceed();
        Assert.Equal(11, ModelFile.Load(_folder["b.onnx"]).OpsetVersion());
    }

    [Theory]
    [InlineData("19")]
    [InlineData("6")]
    [InlineData("new")]
    public void An_unknown_version_is_wrong_usage(string version) =>
        Tool.Run("compile", _folder["old.onnx"], "-o", _folder["a.onnx"], "--opset", version)
            .ShouldFail(2, $"--opset is '{version}': 7 to 18 are possible");

    [Fact]
    public void A_version_below_the_models_own_is_an_error() =>
        Tool.Run("compile", _folder["old.onnx"], "-o", _folder["a.onnx"], "--opset", "8")
            .ShouldFail(1, "the model imports operator set 9, and 8 is asked for: models are only upgraded");
}
