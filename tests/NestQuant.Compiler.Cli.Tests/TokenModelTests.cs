using System.IO.Compression;
using System.Text.Json;
using NestQuant.Data;
using NestQuant.TestSupport;

namespace NestQuant.Compiler.Cli.Tests;

/// <summary>Commands on a model of several integer inputs and several outputs.</summary>
public sealed class TokenModelTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly string _model, _ids, _mask;

    public TokenModelTests()
    {
        _model = TokenModel.Write(_folder["m.onnx"], padding: 9);
        TokenModel.Write(_folder["reference.onnx"], padding: 0, error: 0.5f);
        Directory.CreateDirectory(_folder["data"]);
        (_ids, _mask) = (_folder["data/input_ids.npy"], _folder["data/attention_mask.npy"]);
        NpyArray.FromInt64s([2, 3], [4, 5, 6, 7, 0, 0]).Write(_ids);
        NpyArray.FromInt64s([2, 3], [1, 1, 1, 1, 0, 0]).Write(_mask);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void All_outputs_are_evaluated_without_padding()
    {
        string[] evaluate = ["evaluate", _model, "--reference", _folder["reference.onnx"], "--data", _folder["data"]];
        string text = Tool.Run(evaluate).ShouldSucceed().Out;
        Assert.Contains("without the positions where 'attention_mask' is 0: states\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("top-1", text, StringComparison.Ordinal);

        using JsonDocument json = JsonDocument.Parse(Tool.Run([.. evaluate, "--json"]).ShouldSucceed().Out);
        JsonElement precision = json.RootElement.GetProperty("precisions")[0];
        JsonElement[] outputs = [.. precision.GetProperty("outputs").EnumerateArray()];
        Assert.Equal(["states", "pooled", "map"], outputs.Select(output => output.GetProperty("name").GetString()));
        Assert.Equal(["attention_mask", null, null], outputs.Select(output => output.GetProperty("masked_by").GetString()));
        Assert.Equal(0.5, outputs[0].GetProperty("largest_error").GetDouble(), 1e-5);
        Assert.Equal(9, outputs[2].GetProperty("largest_error").GetDouble(), 1e-5);
        Assert.InRange(outputs[0].GetProperty("cosine").GetDouble(), 0.5, 0.99);
        Assert.Equal(outputs.Min(output => output.GetProperty("sqnr_db").GetDouble()), precision.GetProperty("sqnr_db").GetDouble());
        Assert.Equal(JsonValueKind.Null, precision.GetProperty("agreement").ValueKind);

        string pooled = Tool.Run([.. evaluate, "--output", "pooled", "--mask", "input_ids"]).Error;
        Assert.Contains("mask 'input_ids' of shape [2, 3] fits no output", pooled, StringComparison.Ordinal);
        Assert.Contains("agreement", Tool.Run([.. evaluate, "--output", "pooled"]).ShouldSucceed().Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_need_an_output_with_classes()
    {
        _folder.Write("l.txt", "0\n3\n"u8);
        string[] evaluate = ["evaluate", _model, "--data", _folder["data"], "--labels", _folder["l.txt"]];
        Tool.Run(evaluate).ShouldFail(1, "output 'states' has no classes that labels could name: choose another with --output");
        Assert.Contains("top-1", Tool.Run([.. evaluate, "--output", "pooled"]).ShouldSucceed().Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_come_from_a_folder_an_archive_or_named_files()
    {
        using (ZipArchive archive = ZipFile.Open(_folder["data.npz"], ZipArchiveMode.Create))
            foreach (string file in Directory.GetFiles(_folder["data"]))
                archive.CreateEntryFromFile(file, Path.GetFileName(file));
        string[] named = [$"input_ids={_ids}", $"attention_mask={_mask}"];

        string[] evaluated =
        [
            Tool.Run("evaluate", _model, "--data", _folder["data"]).ShouldSucceed().Out,
            Tool.Run("evaluate", _model, "--data", _folder["data.npz"]).ShouldSucceed().Out,
            Tool.Run("evaluate", _model, "--data", named[0], "--data", named[1]).ShouldSucceed().Out,
        ];
        string[] run =
        [
            Tool.Run("run", _model, "-o", _folder["out"], "--input", _folder["data"]).ShouldSucceed().Out,
            Tool.Run("run", _model, "-o", _folder["out"], "--input", _folder["data.npz"]).ShouldSucceed().Out,
            Tool.Run("run", _model, "-o", _folder["out"], "--input", named[1], "--input", named[0]).ShouldSucceed().Out,
            Tool.Run("run", _model, "-o", _folder["out"], "--input", _ids, "--input", _mask).ShouldSucceed().Out,
        ];
        Assert.Single(evaluated.Distinct());
        Assert.Single(run.Distinct());
        Tool.Run("run", _model, "-o", _folder["out"], "--input", _ids)
            .ShouldFail(1, "write NAME=FILE with one of 'input_ids', 'attention_mask'");
        Tool.Run("calibrate", _model, "--data", named[0], "--data", named[1], "-o", _folder["r.json"]).ShouldSucceed();
        Tool.Run("calibrate", _model, "--data", named[0], "--data", _mask, "-o", _folder["r.json"]).ShouldFail(1, "each has a name");
    }

    [Fact]
    public void Seeded_values_are_valid_and_the_same_every_time()
    {
        string[] evaluate = ["evaluate", _model, "--reference", _folder["reference.onnx"], "--json"];
        string first = Tool.Run([.. evaluate, "--shape", "sequence=40"]).ShouldSucceed().Out;
        Assert.Contains("\"samples\": 32", first, StringComparison.Ordinal);
        Assert.Equal(first, Tool.Run([.. evaluate, "--shape", "input_ids:1=40"]).ShouldSucceed().Out);
        Assert.NotEqual(first, Tool.Run(evaluate).ShouldSucceed().Out);
        Tool.Run([.. evaluate, "--shape", "seq=40"])
            .ShouldFail(1, "shape 'seq': no such axis is open: the model leaves open 'batch', 'sequence'");
    }

    [Fact]
    public void A_token_model_is_measured()
    {
        Tool.Run("bench", _model, "--runs", "1", "--shape", "sequence=40", "--batch", "2").ShouldSucceed();
        // The mask takes its length from the ids.
        Tool.Run("bench", _model, "--runs", "1", "--input", $"input_ids={_ids}").ShouldSucceed();
    }
}
