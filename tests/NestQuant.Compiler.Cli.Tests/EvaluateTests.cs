using System.Text.Json;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.TestSupport;
using Snapshooter.Xunit;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class EvaluateTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("digits-cnn.onnx", "none", 0.988, 0.010)]
    [InlineData("digits-cnn.onnx", "dynamic", 0.988, 0.010)]
    [InlineData("digits-mbv2.onnx", "none", 0.990, 0.020)]
    [InlineData("digits-mbv2.onnx", "dynamic", 0.990, 0.020)]
    public void A_nested_model_keeps_its_accuracy(string model, string activations, double top1, double partLoss)
    {
        Tool.Run("compile", Golden.Path(model), "-o", _folder["m.onnx"], "--nest", "8:6", "--activations", activations).ShouldSucceed();
        JsonElement result = Evaluate("--labels", Golden.Labels, "--reference", Golden.Path(model), "--bits", "8,6");

        Assert.Equal(500, result.GetProperty("samples").GetInt32());
        Assert.Equal(top1, result.GetProperty("reference").GetProperty("top1").GetDouble(), 6);
        JsonElement full = result.GetProperty("precisions")[0];
        JsonElement part = result.GetProperty("precisions")[1];
        Assert.Equal((8, 6), (full.GetProperty("bits").GetInt32(), part.GetProperty("bits").GetInt32()));
        Assert.InRange(full.GetProperty("top1").GetDouble(), top1 - 0.004, 1);
        Assert.InRange(part.GetProperty("top1").GetDouble(), top1 - partLoss, 1);
        Assert.InRange(full.GetProperty("agreement").GetDouble(), 0.99, 1);
        Assert.True(full.GetProperty("sqnr_db").GetDouble() > part.GetProperty("sqnr_db").GetDouble());
    }

    [Fact]
    public void The_json_form_is_stable()
    {
        ToolRun run = Tool.Run("evaluate", Golden.Cnn, "--data", Golden.Images, "--labels", Golden.Labels, "--json").ShouldSucceed();
        Snapshot.Match(run.Out);
    }

    [Fact]
    public void Without_labels_there_is_agreement_but_no_accuracy()
    {
        Tool.Run("compile", Golden.Cnn, "-o", _folder["m.onnx"], "--nest", "8:4").ShouldSucceed();
        JsonElement result = Evaluate();

        Assert.Equal("self", result.GetProperty("reference").GetProperty("kind").GetString());
        Assert.Equal(8, result.GetProperty("reference").GetProperty("bits").GetInt32());
        Assert.Equal(JsonValueKind.Null, result.GetProperty("reference").GetProperty("top1").ValueKind);
        Assert.Equal(
            [8, 4], result.GetProperty("precisions").EnumerateArray().Select(precision => precision.GetProperty("bits").GetInt32()));
        Assert.Equal(JsonValueKind.Null, result.GetProperty("precisions")[0].GetProperty("sqnr_db").ValueKind);
        Assert.InRange(result.GetProperty("precisions")[1].GetProperty("agreement").GetDouble(), 0.9, 1);
    }

    [Fact]
    public void A_part_model_runs_at_part_precision_only()
    {
        Tool.CompileCnn(_folder);
        File.Delete(_folder["cnn.low.bin"]);

        ToolRun run = Tool.Run("evaluate", _folder["cnn.part.onnx"], "--data", Golden.Images, "--labels", Golden.Labels).ShouldSucceed();
        Assert.Contains("against this model at 6 bits", run.Out, StringComparison.Ordinal);
        Tool.Run("evaluate", _folder["cnn.part.onnx"], "--data", Golden.Images, "--bits", "8").ShouldFail(1, "the model runs at 6 bits");
    }

    [Fact]
    public void A_fixed_batch_gives_the_same_result_as_a_free_one()
    {
        ModelProto model = ModelFile.Load(Golden.Cnn);
        model.Graph!.Input[0].Type!.TensorType!.Shape!.Dim[0].DimValue = 7;
        model.Graph.Output[0].Type!.TensorType!.Shape!.Dim[0].DimValue = 7;
        ModelFile.Save(model, _folder["m.onnx"]);

        // 500 = 71 * 7 + 3: the last batch is padded.
        JsonElement result = Evaluate("--labels", Golden.Labels, "--reference", Golden.Cnn);
        Assert.Equal(500, result.GetProperty("samples").GetInt32());
        Assert.Equal(0.988, result.GetProperty("precisions")[0].GetProperty("top1").GetDouble(), 6);
        Assert.Equal(1, result.GetProperty("precisions")[0].GetProperty("agreement").GetDouble());
        Tool.Run("evaluate", _folder["m.onnx"], "--data", Golden.Images, "--batch", "8").ShouldFail(1, "fixes its batch at 7");
    }

    [Fact]
    public void Test_data_sets_bring_their_expected_outputs()
    {
        NpyArray images = NpyArray.Read(Golden.Images);
        for (int set = 0; set < 2; set++)
        {
            float[] pixels = images.ToFloats()[(set * 192)..((set + 1) * 192)];
            NpyArray.FromFloats([3, 1, 8, 8], pixels).Write(_folder[$"x{set}.npy"]);
            Tool.Run("run", Golden.Cnn, "--input", _folder[$"x{set}.npy"], "-o", _folder[$"out{set}"]).ShouldSucceed();
            string folder = $"data/test_data_set_{set}";
            TestTensor.Write(_folder, $"{folder}/input_0.pb", TensorProto.FromFloats("input", [3, 1, 8, 8], pixels));
            TestTensor.Write(
                _folder,
                $"{folder}/output_0.pb",
                TensorProto.FromFloats("logits", [3, 10], NpyArray.Read(_folder[$"out{set}/logits.npy"]).ToFloats()));
        }

        ToolRun run = Tool.Run("evaluate", Golden.Cnn, "--data", _folder["data"], "--json").ShouldSucceed();
        JsonElement result = JsonDocument.Parse(run.Out).RootElement;
        Assert.Equal(6, result.GetProperty("samples").GetInt32());
        Assert.Equal("expected", result.GetProperty("reference").GetProperty("kind").GetString());
        Assert.Equal(1, result.GetProperty("precisions")[0].GetProperty("agreement").GetDouble());
        Assert.Equal(JsonValueKind.Null, result.GetProperty("precisions")[0].GetProperty("sqnr_db").ValueKind);
    }

    [Theory]
    [InlineData("missing.npy", "no such file")]
    [InlineData("text.csv", "unknown kind of data")]
    [InlineData("wide.npy", "takes shape [?, 1, 8, 8], the data has [4, 100]")]
    [InlineData("empty.npy", "no samples")]
    public void Data_that_does_not_fit_is_refused(string data, string message)
    {
        _folder.Write("text.csv", "1,2"u8);
        NpyArray.FromFloats([4, 100], new float[400]).Write(_folder["wide.npy"]);
        NpyArray.FromFloats([0, 1, 8, 8], []).Write(_folder["empty.npy"]);

        Tool.Run("evaluate", Golden.Cnn, "--data", _folder[data]).ShouldFail(1, message);
    }

    [Fact]
    public void Labels_must_be_integers_one_per_sample()
    {
        NpyArray.FromInt64s([3], [1, 2, 3]).Write(_folder["few.npy"]);
        NpyArray.FromFloats([500], new float[500]).Write(_folder["floats.npy"]);

        Tool.Run("evaluate", Golden.Cnn, "--data", Golden.Images, "--labels", _folder["few.npy"])
            .ShouldFail(1, "500 samples, but 3 labels");
        Tool.Run("evaluate", Golden.Cnn, "--data", Golden.Images, "--labels", _folder["floats.npy"]).ShouldFail(1, "labels are integers");
    }

    [Fact]
    public void Flat_and_byte_images_feed_a_model_that_wants_planes_of_floats()
    {
        byte[] pixels = new byte[5 * 64];
        new Random(1).NextBytes(pixels);
        NpyArray.From<byte>(NpyType.UInt8, [5, 64], pixels).Write(_folder["bytes.npy"]);

        Tool.Run("evaluate", Golden.Cnn, "--data", _folder["bytes.npy"]).ShouldSucceed();
    }

    [Fact]
    public void Pictures_are_read_in_the_size_and_channels_that_the_model_takes()
    {
        float[] pixels = NpyArray.Read(Golden.Images).ToFloats();
        long[] labels = NpyArray.Read(Golden.Labels).ToInt64s();
        for (int i = 0; i < 100; i++)
        {
            // Twice the size: scaling down by two restores the digit.
            int start = i * 64;
            byte[] png = TestPng.Rgb(16, 16, (x, y) =>
            {
                byte value = (byte)MathF.Round(pixels[start + (y / 2 * 8) + (x / 2)] * 255);
                return (value, value, value);
            });
            _folder.Write($"digits/{labels[i]}/{i}.png", png);
        }

        ToolRun run = Tool.Run("evaluate", Golden.Cnn, "--data", _folder["digits"], "--json").ShouldSucceed();
        JsonElement result = JsonDocument.Parse(run.Out).RootElement;
        Assert.Equal(100, result.GetProperty("samples").GetInt32());
        Assert.InRange(result.GetProperty("precisions")[0].GetProperty("top1").GetDouble(), 0.8, 1);
        Tool.Run("evaluate", Golden.Cnn, "--data", _folder["digits"], "--size", "16").ShouldFail(1, "takes shape [?, 1, 8, 8]");
        Tool.Run("evaluate", Golden.Cnn, "--data", _folder["digits"], "--mean", "1,2,3")
            .ShouldFail(1, "3 values of mean do not fit 1 channels");
    }

    private JsonElement Evaluate(params string[] more)
    {
        ToolRun run = Tool.Run(["evaluate", _folder["m.onnx"], "--data", Golden.Images, "--json", .. more]).ShouldSucceed();
        Assert.Empty(run.Error);
        return JsonDocument.Parse(run.Out).RootElement;
    }
}
