using NestQuant.Data;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary><c>compile --groupnl expand --calibrate</c>: what it expands, what it keeps, and what it refuses.</summary>
public sealed class GroupNLCalibrateTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Layers_within_the_budget_are_expanded_and_the_model_still_classifies()
    {
        ToolRun run = Compile(Golden.Path("train-images.npy"), "--groupnl-budget", "0.5").ShouldSucceed();

        Assert.Contains("refitted '/conv4/Conv' (relative error 0.4", run.Out, StringComparison.Ordinal);
        Assert.Contains("1 of 4 Conv expanded; parameters 23,626 -> 19,018", run.Out, StringComparison.Ordinal);
        Assert.Contains(
            "refitted on 1297 samples: 'nestquant evaluate' tells what that costs in accuracy", run.Out, StringComparison.Ordinal);
        Assert.Single(ModelFile.Load(_folder["a.onnx"]).Graph!.Node, node => node.OpType == "Sin");
        Tool.Run("evaluate", _folder["a.onnx"], "--data", Golden.Images, "--labels", Golden.Labels, "--reference", Golden.Cnn)
            .ShouldSucceed();
    }

    [Fact]
    public void Layers_above_the_budget_are_kept_with_their_error()
    {
        ToolRun run = Compile(Golden.Path("train-images.npy")).ShouldSucceed();

        Assert.Contains(
            "kept by groupnl-expansion: refitting its consumer '/conv4/Conv' leaves a relative error of 0.4",
            run.Out,
            StringComparison.Ordinal);
        Assert.Contains("above the budget of 0.1", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain(ModelFile.Load(_folder["a.onnx"]).Graph!.Node, node => node.OpType == "Sin");
    }

    [Fact]
    public void Data_that_does_not_fit_is_refused_and_leaves_nothing()
    {
        Compile(Golden.Labels).ShouldFail(1, "input 'input' takes shape [?, 1, 8, 8]");
        Compile(_folder["none.npy"]).ShouldFail(1, "no such file or folder");
        Assert.Empty(_folder.Entries);

        NpyArray.FromFloats([1, 1, 8, 8], [.. Enumerable.Repeat(float.PositiveInfinity, 64)]).Write(_folder["infinite.npy"]);
        Compile(_folder["infinite.npy"]).ShouldFail(1, "sample 0: the data for input 'input' has the value Infinity");
    }

    private ToolRun Compile(string data, params string[] more) =>
        Tool.Run(["compile", Golden.Cnn, "-o", _folder["a.onnx"], "--groupnl", "expand", "--calibrate", data, .. more]);
}
