using System.Text.Json;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.TestSupport;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary><c>compile</c> with weights that are rounded for data, and without.</summary>
public sealed class CalibratedWeightTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static string Mobile => Golden.Path("digits-mbv2.onnx");

    private static string Training => Golden.Path("train-images.npy");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Data_makes_three_bits_nearly_as_good_as_eight()
    {
        ToolRun run = Compile("8:3", "--calibrate", Training, "--calibration-samples", "48", "--activations", "weight-only");
        Assert.Contains("nested 8:3", run.Out, StringComparison.Ordinal);
        Assert.Contains("split-rounding=calibrated calibration=(48 samples)", Options(), StringComparison.Ordinal);
        Assert.InRange(Top1(3), 0.984, 1);
    }

    [Fact]
    public void Synthetic_images_are_better_than_no_data()
    {
        Compile("8:3", "--activations", "weight-only");
        double without = Top1(3);
        Compile("8:3", "--synthetic", "image", "--activations", "weight-only");
        Assert.InRange(Top1(3), without + 0.05, 1);
        Assert.Contains("calibration=(64 samples)", Options(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_budget_chooses_bits_and_says_so()
    {
        Tool.Run(
            "compile", Golden.Cnn, "-o", _folder["m.onnx"], "--nest", "8:3", "--calibrate", Training, "--calibration-samples", "16",
            "--activations", "weight-only", "--budget-bytes", "12000", "--report", _folder["r.json"]).ShouldSucceed();
        Assert.Contains("\"bit-budget\"", File.ReadAllText(_folder["r.json"]), StringComparison.Ordinal);
        Assert.Contains("budget=(12000 bytes)", Options(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("the budget is 100 bytes", "--budget-bytes", "100")]
    [InlineData("the budget asks for 90 dB", "--budget-db", "90")]
    public void A_budget_that_cannot_be_kept_leaves_no_file(string message, params string[] budget)
    {
        Tool.Run([
            "compile", Golden.Cnn, "-o", _folder["new/m.onnx"], "--nest", "8:3", "--calibrate", Training, "--calibration-samples", "4",
            .. budget,
        ]).ShouldFail(1, message);
        Assert.False(Directory.Exists(_folder["new"]));
    }

    [Fact]
    public void Synthetic_images_need_a_model_that_takes_images()
    {
        ModelFile.Save(
            new GraphBuilder().Input("x", -1, 4).Random("w", 4, 4).Node("y = MatMul(x, w)").Output("y").Model(), _folder["vector.onnx"]);
        Tool.Run("compile", _folder["vector.onnx"], "-o", _folder["new/m.onnx"], "--nest", "8:3", "--synthetic", "image")
            .ShouldFail(1, "the model does not take one float image");
        Tool.Run("compile", Golden.Cnn, "-o", _folder["new/m.onnx"], "--nest", "8:3", "--synthetic", "image", "--mean", "0.5,0.5")
            .ShouldFail(1, "2 values of mean do not fit 1 channels");
        Assert.False(Directory.Exists(_folder["new"]));
    }

    [Fact]
    public void Data_that_is_wrong_leaves_no_file()
    {
        float[] values = NpyArray.Read(Training).ToFloats()[..(4 * 64)];
        values[100] = float.NaN;
        NpyArray.FromFloats([4, 1, 8, 8], values).Write(_folder["nan.npy"]);
        Tool.Run(
            "compile", Golden.Cnn, "-o", _folder["new/m.onnx"], "--nest", "8:3", "--activations", "weight-only", "--calibrate",
            _folder["nan.npy"]).ShouldFail(1, "nan.npy: sample 1");
        Assert.False(Directory.Exists(_folder["new"]));
    }

    private ToolRun Compile(string bits, params string[] more) =>
        Tool.Run(["compile", Mobile, "-o", _folder["m.onnx"], "--nest", bits, .. more]).ShouldSucceed();

    /// <summary>What the compiled model says it was compiled with.</summary>
    private string Options() =>
        ModelFile.Load(_folder["m.onnx"]).MetadataProps.Find(static entry => entry.Key == "nestquant.options")!.Value!;

    private double Top1(int bits)
    {
        ToolRun run = Tool.Run(
            "evaluate", _folder["m.onnx"], "--data", Golden.Images, "--labels", Golden.Labels, "--bits", $"{bits}", "--json")
            .ShouldSucceed();
        return JsonDocument.Parse(run.Out).RootElement.GetProperty("precisions")[0].GetProperty("top1").GetDouble();
    }
}
