using System.Runtime.InteropServices;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class RunTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_float_model_gives_the_logits_of_its_training_framework()
    {
        ToolRun run = Tool.Run("run", Golden.Cnn, "--input", Golden.Images, "-o", _folder["out"], "--threads", "1").ShouldSucceed();

        NpyArray logits = NpyArray.Read(_folder["out/logits.npy"]);
        ReadOnlySpan<float> expected = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Golden.Path("digits-cnn.test-logits.f32")));
        Assert.Equal([500, 10], logits.Shape);
        float[] actual = logits.ToFloats();
        for (int i = 0; i < actual.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-4f);
        Assert.Contains("logits: float [500, 10]", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Bits_select_the_precision_of_the_run()
    {
        Tool.CompileCnn(_folder);
        float[] standard = Logits();
        float[] full = Logits("--bits", "8");
        float[] part = Logits("--bits", "6");

        Assert.Equal(standard, full);
        Assert.NotEqual(full, part);
        Tool.Run("run", _folder["cnn.onnx"], "--input", Golden.Images, "--bits", "5", "-o", _folder["out"]).ShouldFail(1, "8 or 6 bits");
        Tool.Run("run", Golden.Cnn, "--input", Golden.Images, "--bits", "8", "-o", _folder["out"]).ShouldFail(1, "no nested weights");
    }

    [Fact]
    public void Inputs_are_found_by_name_and_converted_where_nothing_is_lost()
    {
        NpyArray.FromInt64s([1, 1, 8, 8], new long[64]).Write(_folder["x=1.npy"]);

        Tool.Run("run", Golden.Cnn, "--input", "input=" + _folder["x=1.npy"], "-o", _folder["out"]).ShouldSucceed();
        Tool.Run("run", Golden.Cnn, "--input", _folder["x=1.npy"], "-o", _folder["out"]).ShouldSucceed();
        Tool.Run("run", Golden.Cnn, "--input", "other=" + _folder["x=1.npy"], "-o", _folder["out"]).ShouldFail(1, "no input 'other'");
        Tool.Run("run", Golden.Cnn, "-o", _folder["out"]).ShouldFail(1, "no data for input 'input'");
    }

    [Fact]
    public void A_failed_run_leaves_no_folder()
    {
        NpyArray.FromFloats([1, 3, 8, 8], new float[192]).Write(_folder["x.npy"]);
        Tool.Run("run", Golden.Cnn, "--input", _folder["x.npy"], "-o", _folder["new/out"]).ShouldFail(1, "takes shape [?, 1, 8, 8]");
        Assert.Equal(["x.npy"], _folder.Entries);
    }

    [Fact]
    public void Output_names_become_file_names()
    {
        ModelProto model = ModelFile.Load(Golden.Cnn);
        model.Graph!.Output[0].Name = "../a/b:c";
        NodeProto last = model.Graph.Node.Single(node => node.Output[0] == "logits");
        last.Output[0] = "../a/b:c";
        ModelFile.Save(model, _folder["m.onnx"]);

        Tool.Run("run", _folder["m.onnx"], "--input", Golden.Images, "-o", _folder["out"]).ShouldSucceed();
        Assert.Equal(["m.onnx", "out", "out/a_b_c.npy"], _folder.Entries);
    }

    private float[] Logits(params string[] more)
    {
        Tool.Run(["run", _folder["cnn.onnx"], "--input", Golden.Images, "-o", _folder["out"], .. more]).ShouldSucceed();
        return NpyArray.Read(_folder["out/logits.npy"]).ToFloats();
    }
}
