using System.Text.Json;
using NestQuant.Data;
using Snapshooter.Xunit;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class CorruptionTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Accuracy_falls_with_severity_at_every_precision()
    {
        JsonElement result = Evaluate("--corrupt", "gaussian_noise,contrast,impulse_noise,jpeg_compression:1-5");

        JsonElement[] entries = [.. result.GetProperty("corruptions").EnumerateArray()];
        Assert.Equal(20, entries.Length);
        Assert.Equal(
            ["gaussian_noise", "contrast", "impulse_noise", "jpeg_compression"],
            entries.Select(entry => entry.GetProperty("name").GetString()).Distinct());
        Assert.Equal([1, 2, 3, 4, 5], entries.Take(5).Select(entry => entry.GetProperty("severity").GetInt32()));
        double clean = result.GetProperty("reference").GetProperty("top1").GetDouble();
        Assert.Equal(0.988, clean, 6);
        JsonElement impulse = entries[14];
        Assert.True(impulse.GetProperty("reference").GetProperty("top1").GetDouble() < clean - 0.02, impulse.ToString());
        foreach (int precision in new[] { 0, 1 })
        {
            Assert.True(Top1(impulse, precision) < Top1(result, precision) - 0.02, impulse.ToString());
            double mean = entries.Average(entry => Top1(entry, precision));
            Assert.Equal(mean, Top1(result.GetProperty("mean_corruption"), precision), 6);
            JsonElement[] means = [.. result.GetProperty("corruption_means").EnumerateArray()];
            Assert.Equal(entries[..5].Average(entry => Top1(entry, precision)), Top1(means[0], precision), 6);
        }
    }

    [Fact]
    public void The_json_form_is_stable()
    {
        Snapshot.Match(Tool.Run(
            "evaluate", Golden.Cnn, "--data", Golden.Images, "--labels", Golden.Labels,
            "--corrupt", "contrast,pixelate:4-5", "--json").ShouldSucceed().Out);
    }

    [Fact]
    public void Batches_and_threads_do_not_change_the_figures_and_the_seed_does()
    {
        // The float model: one that quantizes its activations as it runs does so over a batch.
        string[] noise =
        [
            "evaluate", Golden.Cnn, "--data", Golden.Images, "--labels", Golden.Labels, "--json", "--corrupt",
            "speckle_noise,impulse_noise:5"
        ];
        string first = Tool.Run([.. noise, "--batch", "500"]).ShouldSucceed().Out;
        Assert.Equal(first, Tool.Run([.. noise, "--batch", "7", "--threads", "1"]).ShouldSucceed().Out);
        Assert.NotEqual(first, Tool.Run([.. noise, "--seed", "1"]).ShouldSucceed().Out);
    }

    [Fact]
    public void The_table_has_a_row_per_severity_and_the_means()
    {
        ToolRun run = Tool.Run("evaluate", Golden.Cnn, "--data", Golden.Images, "--labels", Golden.Labels, "--corrupt", "fog:1-2")
            .ShouldSucceed();
        string[] rows = [.. run.Out.Split('\n').Select(line => line.Trim())];
        Assert.Equal(3, rows.Count(row => row.StartsWith("fog", StringComparison.Ordinal)));
        Assert.Single(rows, row => row.StartsWith("all ", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_labels_there_is_agreement()
    {
        ToolRun run = Tool.Run("evaluate", Golden.Cnn, "--data", Golden.Images, "--corrupt", "glass_blur:2", "--json").ShouldSucceed();
        JsonElement entry = JsonDocument.Parse(run.Out).RootElement.GetProperty("corruptions")[0].GetProperty("precisions")[0];
        Assert.Equal((JsonValueKind.Null, 1.0), (entry.GetProperty("top1").ValueKind, entry.GetProperty("agreement").GetDouble()));
        Assert.DoesNotContain(
            "top-1 ",
            Tool.Run("evaluate", Golden.Cnn, "--data", Golden.Images, "--corrupt", "glass_blur:2")
                .ShouldSucceed()
                .Out.Split("corruption")[1],
            StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_are_pixels_when_the_options_say_so()
    {
        float[] pixels = NpyArray.Read(Golden.Images).ToFloats();
        NpyArray.FromFloats([500, 1, 8, 8], [.. pixels.Select(pixel => pixel * 255)]).Write(_folder["bytes.npy"]);
        Tool.Run("evaluate", Golden.Cnn, "--data", _folder["bytes.npy"], "--corrupt", "fog:1").ShouldFail(1, "mean and standard deviation");
        Tool.Run("evaluate", Golden.Cnn, "--data", _folder["bytes.npy"], "--corrupt", "fog:1", "--std", "0.003921568").ShouldSucceed();
    }

    [Theory]
    [InlineData("blur:1", "'blur' is not a corruption")]
    [InlineData("fog:9", "1 to 5")]
    [InlineData("fog:1,snow:2", "come last")]
    public void A_wrong_selection_is_wrong_usage(string selection, string message) =>
        Tool.Run("evaluate", "a.onnx", "--data", "d.npy", "--corrupt", selection).ShouldFail(2, message);

    [Fact]
    public void A_wrong_seed_is_wrong_usage() =>
        Tool.Run("evaluate", "a.onnx", "--data", "d.npy", "--corrupt", "all", "--seed", "-1").ShouldFail(2, "--seed");

    private JsonElement Evaluate(params string[] more)
    {
        string model = File.Exists(_folder["cnn.onnx"]) ? _folder["cnn.onnx"] : Tool.CompileCnn(_folder);
        ToolRun run = Tool.Run(
            ["evaluate", model, "--data", Golden.Images, "--labels", Golden.Labels, "--reference", Golden.Cnn, "--json", .. more]);
        return JsonDocument.Parse(run.ShouldSucceed().Out).RootElement;
    }

    private static double Top1(JsonElement entry, int precision) =>
        entry.GetProperty("precisions")[precision].GetProperty("top1").GetDouble();
}
