using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.TestSupport;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary><c>calibrate</c>, <c>merge-ranges</c>, and <c>compile --calibrate</c> with what they write.</summary>
public sealed class CalibrateTests : IDisposable
{
    private const int Images = 300;

    private readonly TestFolder _folder = new();

    public CalibrateTests() => Slice("all.npy", 0, Images);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Parts_that_are_merged_in_any_order_compile_to_what_one_sweep_does()
    {
        // Not at the middle: no part is a multiple of the other.
        Slice("a.npy", 0, 101);
        Slice("b.npy", 101, 7);
        Slice("c.npy", 108, Images - 108);
        foreach (string part in new[] { "all", "a", "b", "c" })
            Calibrate(part);
        Tool.Run("merge-ranges", _folder["a.json"], _folder["b.json"], _folder["c.json"], "-o", _folder["abc.json"]).ShouldSucceed();
        ToolRun merge = Tool.Run("merge-ranges", _folder["c.json"], _folder["a.json"], _folder["b.json"], "-o", _folder["cab.json"])
            .ShouldSucceed();

        Assert.Contains("3 files joined: 13 activations, 300 samples", merge.Out, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(_folder["all.json"]), File.ReadAllBytes(_folder["abc.json"]));
        Assert.Equal(File.ReadAllBytes(_folder["all.json"]), File.ReadAllBytes(_folder["cab.json"]));
        foreach (string method in new[] { "minmax", "entropy" })
        {
            Dictionary<string, byte[]> expected = Compile("data", _folder["all.npy"], method);
            AssertSame(expected, Compile("at once", _folder["all.json"], method));
            AssertSame(expected, Compile("merged", _folder["cab.json"], method));
        }
    }

    [Fact]
    public void The_number_of_threads_changes_no_byte()
    {
        Calibrate("all", "--threads", "1");
        byte[] one = File.ReadAllBytes(_folder["all.json"]);
        Calibrate("all", "--threads", "3");
        Assert.Equal(one, File.ReadAllBytes(_folder["all.json"]));
    }

    [Fact]
    public void Calibrated_activations_are_static_and_the_model_still_classifies()
    {
        ToolRun run = Tool.Run("compile", Golden.Cnn, "-o", _folder["m.onnx"], "--nest", "8:6", "--calibrate", _folder["all.npy"])
            .ShouldSucceed();
        Assert.Contains("activation ranges: mse of 300 samples", run.Out, StringComparison.Ordinal);
        ModelProto model = ModelFile.Load(_folder["m.onnx"]);
        Assert.DoesNotContain(model.Graph!.Node, node => node.OpType == "DynamicQuantizeLinear");
        Assert.Contains(
            model.MetadataProps,
            entry =>
                entry.Key == "nestquant.options"
                    && entry.Value!.Contains("activations=static ranges=(mse of 300 samples)", StringComparison.Ordinal));
        AssertClassifies(0.98);
    }

    [Fact]
    public void Static_activations_without_data_take_the_rule_that_needs_none_and_say_so()
    {
        ToolRun run = Tool.Run("compile", Golden.Cnn, "-o", _folder["m.onnx"], "--nest", "8:6", "--activations", "static").ShouldSucceed();
        Assert.Contains("activation ranges: the data-free rule", run.Out, StringComparison.Ordinal);
        AssertClassifies(0.97);
    }

    [Fact]
    public void Data_serves_the_refit_and_the_ranges_at_once()
    {
        ToolRun run = Tool.Run(
            "compile", Golden.Cnn, "-o", _folder["m.onnx"], "--nest", "8:6", "--groupnl", "expand:form=fused", "--calibrate",
            _folder["all.npy"], "--groupnl-budget", "0.5").ShouldSucceed();
        Assert.Contains("refitted '/conv4/Conv'", run.Out, StringComparison.Ordinal);
        Assert.Contains("activation ranges: mse of 300 samples", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_are_read_as_told()
    {
        float[] pixels = NpyArray.Read(Golden.Path("train-images.npy")).ToFloats();
        for (int i = 0; i < 5; i++)
        {
            int start = i * 64;
            _folder.Write($"digits/{i}.png", TestPng.Rgb(8, 8, (x, y) =>
            {
                byte value = (byte)MathF.Round(pixels[start + (y * 8) + x] * 255);
                return (value, value, value);
            }));
        }

        string[] pictures = ["--mean", "0.5", "--std", "0.5", "--size", "8"];
        Tool.Run(["calibrate", Golden.Cnn, "--data", _folder["digits"], "-o", _folder["p.json"], .. pictures]).ShouldSucceed();
        string text = File.ReadAllText(_folder["p.json"]);
        Assert.Contains("\"samples\": 5", text, StringComparison.Ordinal);
        Assert.Contains("\"min\": -1,", text, StringComparison.Ordinal);
        string[] compile =
        [
            "compile", Golden.Cnn, "--nest", "8:6", "--split-rounding", "adaptive", "--activation-guard", "off", "--calibrate",
        ];
        Tool.Run([.. compile, _folder["digits"], "-o", _folder["x/m.onnx"], .. pictures]).ShouldSucceed();
        Tool.Run([.. compile, _folder["p.json"], "-o", _folder["y/m.onnx"]]).ShouldSucceed();
        Assert.Equal(File.ReadAllBytes(_folder["x/m.onnx"]), File.ReadAllBytes(_folder["y/m.onnx"]));
        Tool.Run(["calibrate", Golden.Cnn, "--data", _folder["digits"], "-o", _folder["p.json"], "--size", "16"])
            .ShouldFail(1, "takes shape [?, 1, 8, 8], the data has [1, 1, 16, 16]");
    }

    /// <summary>As <c>evaluate</c> reads them: rows without the axes that the model fixes.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(8, 8)]
    public void Samples_of_another_rank_are_reshaped_to_what_the_model_takes(params int[] sample)
    {
        float[] pixels = NpyArray.Read(_folder["all.npy"]).ToFloats();
        NpyArray.FromFloats([Images, .. sample.Select(extent => (long)extent)], pixels).Write(_folder["rows.npy"]);
        Calibrate("all");
        Calibrate("rows");
        Assert.Equal(File.ReadAllBytes(_folder["all.json"]), File.ReadAllBytes(_folder["rows.json"]));
        AssertSame(Compile("images", _folder["all.npy"], "mse"), Compile("rows", _folder["rows.npy"], "mse"));

        string[] expand = ["compile", Golden.Cnn, "--groupnl", "expand:form=fused", "--groupnl-budget", "0.5"];
        foreach (string data in new[] { "all", "rows" })
            Tool.Run([.. expand, "--calibrate", _folder[$"{data}.npy"], "-o", _folder[$"{data}.onnx"]]).ShouldSucceed();
        Assert.Equal(File.ReadAllBytes(_folder["all.onnx"]), File.ReadAllBytes(_folder["rows.onnx"]));
    }

    [Fact]
    public void Ranges_of_another_model_are_refused()
    {
        Calibrate("all");
        Tool.Run("calibrate", Golden.Path("digits-mbv2.onnx"), "--data", _folder["all.npy"], "-o", _folder["other.json"]).ShouldSucceed();
        IReadOnlyList<string> before = _folder.Entries;

        Tool.Run("compile", Golden.Cnn, "-o", _folder["new/m.onnx"], "--nest", "8:6", "--calibrate", _folder["other.json"])
            .ShouldFail(1, "other.json: belongs to another model");
        Tool.Run("merge-ranges", _folder["all.json"], _folder["other.json"], "-o", _folder["new/m.json"])
            .ShouldFail(1, "other.json: belongs to another model");
        Assert.Equal(before, _folder.Entries);
    }

    [Theory]
    [InlineData("missing.npy", "no such file or folder")]
    [InlineData("wide.npy", "takes shape [?, 1, 8, 8]")]
    [InlineData("empty.npy", "no samples")]
    [InlineData("nan.npy", "nan.npy: sample 1: the data for input 'input' has the value NaN")]
    public void Data_that_does_not_fit_is_refused_and_leaves_nothing(string data, string message)
    {
        float[] broken = new float[3 * 64];
        broken[100] = float.NaN;
        NpyArray.FromFloats([3, 1, 8, 8], broken).Write(_folder["nan.npy"]);
        NpyArray.FromFloats([4, 100], new float[400]).Write(_folder["wide.npy"]);
        NpyArray.FromFloats([0, 1, 8, 8], []).Write(_folder["empty.npy"]);
        IReadOnlyList<string> before = _folder.Entries;

        Tool.Run("calibrate", Golden.Cnn, "--data", _folder[data], "-o", _folder["new/r.json"]).ShouldFail(1, message);
        Tool.Run("compile", Golden.Cnn, "-o", _folder["new/m.onnx"], "--nest", "8:6", "--calibrate", _folder[data]).ShouldFail(1, message);
        Assert.Equal(before, _folder.Entries);
    }

    /// <summary>Ranges of width zero: the model compiles and runs.</summary>
    [Fact]
    public void Data_that_is_zero_throughout_is_no_failure()
    {
        NpyArray.FromFloats([2, 1, 8, 8], new float[128]).Write(_folder["zero.npy"]);
        Tool.Run("compile", Golden.Cnn, "-o", _folder["m.onnx"], "--nest", "8:6", "--calibrate", _folder["zero.npy"]).ShouldSucceed();
        Tool.Run("evaluate", _folder["m.onnx"], "--data", _folder["zero.npy"]).ShouldSucceed();
    }

    [Fact]
    public void Files_that_hold_no_statistics_are_refused()
    {
        _folder.Write("text.json", "{\"values\":{}}"u8);
        Tool.Run("compile", Golden.Cnn, "-o", _folder["m.onnx"], "--nest", "8:6", "--calibrate", _folder["text.json"])
            .ShouldFail(1, "text.json: is not a file of calibration statistics");
        Tool.Run("merge-ranges", _folder["text.json"], "-o", _folder["m.json"])
            .ShouldFail(1, "text.json: is not a file of calibration statistics");
        Tool.Run("merge-ranges", _folder["missing.json"], "-o", _folder["m.json"]).ShouldFail(1, "missing.json: no such file");
        Tool.Run("merge-ranges", _folder["text.json"], _folder["text.json"], "-o", _folder["m.json"]).ShouldFail(2, "is named twice");
        Tool.Run("merge-ranges", _folder["text.json"], "-o", _folder["text.json"]).ShouldFail(1, "would replace");
        Tool.Run("calibrate", Golden.Cnn, "--data", _folder["all.npy"], "-o", _folder["r.txt"]).ShouldFail(1, "must end in .json");
    }

    private void Slice(string name, int first, int count)
    {
        float[] pixels = NpyArray.Read(Golden.Path("train-images.npy")).ToFloats();
        NpyArray.FromFloats([count, 1, 8, 8], pixels.AsSpan(first * 64, count * 64)).Write(_folder[name]);
    }

    private void Calibrate(string part, params string[] more) =>
        Tool.Run(["calibrate", Golden.Cnn, "--data", _folder[$"{part}.npy"], "-o", _folder[$"{part}.json"], .. more]).ShouldSucceed();

    private Dictionary<string, byte[]> Compile(string folder, string source, string method)
    {
        // Stored ranges cannot round weights, nor guard activations.
        string[] compile = ["compile", Golden.Cnn, "-o", _folder[$"{folder}/m.onnx"], "--nest", "8:6", "--split-rounding", "adaptive"];
        Tool.Run([.. compile, "--activation-guard", "off", "--calibrate", source, "--calibration", method]).ShouldSucceed();
        return Directory.GetFiles(_folder[folder]).ToDictionary(file => Path.GetFileName(file), File.ReadAllBytes);
    }

    private static void AssertSame(Dictionary<string, byte[]> expected, Dictionary<string, byte[]> actual)
    {
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), actual.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, bytes) in expected)
            Assert.True(bytes.AsSpan().SequenceEqual(actual[name]), name);
    }

    private void AssertClassifies(double top1)
    {
        ToolRun run = Tool.Run("evaluate", _folder["m.onnx"], "--data", Golden.Images, "--labels", Golden.Labels, "--bits", "8,6", "--json")
            .ShouldSucceed();
        foreach (var precision in System.Text.Json.JsonDocument.Parse(run.Out).RootElement.GetProperty("precisions").EnumerateArray())
            Assert.InRange(precision.GetProperty("top1").GetDouble(), top1, 1);
    }
}
