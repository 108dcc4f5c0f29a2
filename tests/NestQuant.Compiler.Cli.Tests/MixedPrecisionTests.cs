using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>The commands on a model whose last layer has another pair n:h than the others.</summary>
public sealed class MixedPrecisionTests : IDisposable
{
    private const string Last = "/fc/Gemm";

    private readonly TestFolder _folder = new();

    public MixedPrecisionTests()
    {
        ModelProto model = ModelFile.Load(Golden.Cnn);
        Nest(model, new NestedBits(8, 6), Last);
        Nest(model, new NestedBits(5, 3), [.. model.AllNodes().Where(node => node.Is("Conv")).Select(node => node.Name)]);
        ModelFile.Save(model, _folder["mixed.onnx"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Evaluate_and_bench_use_all_levels()
    {
        ToolRun evaluation = Tool.Run(
            "evaluate", _folder["mixed.onnx"], "--data", Golden.Images, "--labels", Golden.Labels, "--json").ShouldSucceed();
        ToolRun bench = Tool.Run("bench", _folder["mixed.onnx"], "--runs", "1", "--json").ShouldSucceed();
        foreach (int bits in (int[])[8, 6, 5, 3])
        {
            Assert.Contains($"\"bits\": {bits}", evaluation.Out, StringComparison.Ordinal);
            Assert.Contains($"\"bits\": {bits}", bench.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Other_bits_are_refused_with_those_that_are_possible() =>
        Tool.Run("evaluate", _folder["mixed.onnx"], "--data", Golden.Images, "--bits", "4")
            .ShouldFail(1, "4 bits are not possible: the model runs at 8, 6, 5 or 3 bits");

    [Fact]
    public void Inspect_and_verify_know_every_pair()
    {
        ToolRun inspection = Tool.Run("inspect", _folder["mixed.onnx"], "--json").ShouldSucceed();
        Assert.Contains("\"n\": 8", inspection.Out, StringComparison.Ordinal);
        Assert.Contains("\"n\": 5", inspection.Out, StringComparison.Ordinal);
        Tool.Run("verify", _folder["mixed.onnx"]).ShouldSucceed();
    }

    [Fact]
    public void Run_and_export_take_any_level()
    {
        Tool.Run("export", _folder["mixed.onnx"], "--bits", "5", "-o", _folder["qdq.onnx"]).ShouldSucceed();
        Tool.Run("evaluate", _folder["qdq.onnx"], "--data", Golden.Images, "--labels", Golden.Labels).ShouldSucceed();
    }

    private static void Nest(ModelProto model, NestedBits bits, params IReadOnlyList<string> exclude) =>
        new NestingPass(new WeightOptions { Bits = bits, Exclude = exclude }, ActivationMode.Dynamic).Run(new ModelContext(model));
}
