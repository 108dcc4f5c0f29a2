using System.Text.Json;
using NestQuant.Data;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Kernels;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class BenchTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Models_and_precisions_are_measured_side_by_side()
    {
        string nested = Tool.CompileCnn(_folder);

        ToolRun run = Tool.Run(
            "bench",
            nested,
            "--against",
            Golden.Cnn,
            "--runs",
            "5",
            "--threads",
            "1",
            "--batch",
            "4",
            "--session-config",
            "nestquant.cache=1m",
            "--json").ShouldSucceed();

        using JsonDocument json = JsonDocument.Parse(run.Out);
        JsonElement root = json.RootElement;
        Assert.Equal(1, root.GetProperty("threads").GetInt32());
        Assert.Equal(NestQuantOps.KernelTierName, root.GetProperty("kernels").GetString());
        JsonElement[] results = [.. root.GetProperty("results").EnumerateArray()];
        Assert.Equal([nested, nested, Golden.Cnn], results.Select(result => result.GetProperty("model").GetString()!));
        Assert.Equal(["8", "6", "null"], results.Select(result => result.GetProperty("bits").GetRawText()));
        Assert.All(results, result =>
        {
            double least = result.GetProperty("least_ms").GetDouble(), median = result.GetProperty("median_ms").GetDouble();
            Assert.InRange(least, double.Epsilon, median);
            Assert.InRange(median, least, result.GetProperty("p99_ms").GetDouble());
            Assert.True(result.GetProperty("session_ms").GetDouble() > 0);
            // A process of .NET and ONNX Runtime has tens of megabytes, and a model of 100 kB adds a few at most.
            Assert.InRange(result.GetProperty("resident_mb").GetDouble(), 20, 1000);
            Assert.True(result.GetProperty("model_mb").GetDouble() < result.GetProperty("resident_mb").GetDouble() / 2);
        });
        Assert.True(root.GetProperty("switch").TryGetProperty("part_to_full_us", out _));
        Assert.True(root.GetProperty("switch").TryGetProperty("full_to_part_us", out _));
    }

    [Fact]
    public void The_nodes_are_listed_with_their_implementations()
    {
        string nested = Tool.CompileCnn(_folder);

        ToolRun table = Tool.Run("bench", nested, "--runs", "3", "--nodes").ShouldSucceed();
        Assert.Contains("implementation", table.Out, StringComparison.Ordinal);

        using JsonDocument json = JsonDocument.Parse(Tool.Run("bench", nested, "--runs", "3", "--nodes", "--json").ShouldSucceed().Out);
        JsonElement[] nodes = [.. json.RootElement.GetProperty("nodes").EnumerateArray()];
        JsonElement[] convolutions = [.. nodes.Where(node => node.GetProperty("operator").GetString() == "NestedConv")];
        Assert.NotEmpty(convolutions);
        Assert.All(convolutions, node =>
        {
            Assert.Contains(node.GetProperty("implementation").GetString(), ImplementationTable.All.Select(static i => i.Name));
            Assert.True(node.GetProperty("gmac_per_s").GetDouble() > 0);
            Assert.Matches("^[0-9]+(x[0-9]+){3}$", node.GetProperty("output").GetString());
        });
        Assert.All(
            nodes.Where(node => node.GetProperty("implementation").GetString() is null),
            node => Assert.Equal(JsonValueKind.Null, node.GetProperty("gmac_per_s").ValueKind));
        Assert.Equal(1, nodes.Sum(node => node.GetProperty("share").GetDouble()), 2);
        Assert.Empty(Directory.GetFiles(Directory.GetCurrentDirectory(), "onnxruntime_profile*"));
    }

    [Fact]
    public void An_implementation_can_be_forced_by_the_environment()
    {
        string nested = Tool.CompileCnn(_folder);
        string[] bench = ["bench", nested, "--runs", "2", "--nodes", "--json"];

        ToolRun forced = Tool.RunProcess([(ImplementationTable.EnvironmentVariable, "gathered")], bench).ShouldSucceed();
        using JsonDocument json = JsonDocument.Parse(forced.Out);
        IEnumerable<string?> used = json.RootElement.GetProperty("nodes").EnumerateArray()
            .Select(node => node.GetProperty("implementation").GetString());
        Assert.Equal(["gathered"], used.OfType<string>().Distinct());

        ToolRun refused = Tool.RunProcess([(ImplementationTable.EnvironmentVariable, "depthwise")], bench);
        refused.ShouldFail(1, "NESTQUANT_IMPLEMENTATION is 'depthwise', which cannot run a 3x3 convolution of 1x8x8x1 to");
        refused.ShouldFail(1, "it needs one input and one output channel per group");
        Tool.RunProcess([(ImplementationTable.EnvironmentVariable, "magic")], bench).ShouldFail(1, "known implementations are strips");
    }

    [Fact]
    public void A_model_with_one_precision_has_no_switch()
    {
        ToolRun run = Tool.Run("bench", Golden.Cnn, "--input", Golden.Images, "--runs", "1").ShouldSucceed();

        Assert.Contains("1 interleaved runs of each", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("a switch costs", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_measured_is_said_in_one_line()
    {
        string nested = Tool.CompileCnn(_folder);
        NpyArray.FromFloats([1, 3, 8, 8], new float[192]).Write(_folder["x.npy"]);

        Tool.Run("bench", nested, "--bits", "5").ShouldFail(1, "5 bits are not possible: the model runs at 8 or 6 bits");
        Tool.Run("bench", Golden.Cnn, "--bits", "8").ShouldFail(1, "no nested weights");
        Tool.Run("bench", nested, "--against", _folder["missing.onnx"]).ShouldFail(1, "missing.onnx");
        Tool.Run("bench", nested, "--input", _folder["x.npy"]).ShouldFail(1, "takes shape [?, 1, 8, 8]");
        Tool.Run("bench", nested, "--runs", "0").ShouldFail(2, "a positive integer is needed");
        Tool.Run("bench", nested, "--session-config", "nestquant.cache").ShouldFail(2, "KEY=VALUE is needed");
        Tool.Run("bench", nested, "--session-config", "nestquant.cache=much").ShouldFail(1, "nestquant.cache");
        Tool.Run("bench").ShouldFail(2, "MODEL");
    }
}
