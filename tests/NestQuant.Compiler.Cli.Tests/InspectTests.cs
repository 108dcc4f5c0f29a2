using System.Runtime.InteropServices;
using System.Text.Json;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using Snapshooter.Xunit;

namespace NestQuant.Compiler.Cli.Tests;

public sealed class InspectTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_json_form_is_stable()
    {
        Tool.CompileCnn(_folder, "--exclude", "/conv1/*");
        Snapshot.Match(Tool.Run("inspect", _folder["cnn.onnx"], "--json").ShouldSucceed().OutWithout(_folder));
    }

    [Fact]
    public void A_plain_model_has_nothing_nested()
    {
        ToolRun run = Tool.Run("inspect", Golden.Cnn, "--json").ShouldSucceed();
        JsonElement root = JsonDocument.Parse(run.Out).RootElement;

        Assert.Equal(0, root.GetProperty("nested").GetArrayLength());
        Assert.Equal(new FileInfo(Golden.Cnn).Length, root.GetProperty("files")[0].GetProperty("bytes").GetInt64());
        Assert.Contains("nothing is nested", Tool.Run("inspect", Golden.Cnn).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8:6", "symmetric", "dynamic")]
    [InlineData("8:6", "affine", "dynamic")]
    [InlineData("7:3", "affine", "none")]
    [InlineData("4:2", "symmetric", "none")]
    public void Unpacked_integers_recompose_and_stay_near_the_source(string nest, string weights, string activations)
    {
        Tool.Run("compile", Golden.Cnn, "-o", _folder["m.onnx"], "--nest", nest, "--weights", weights, "--activations", activations)
            .ShouldSucceed();
        Tool.Run("inspect", _folder["m.onnx"], "--unpack", _folder["u"]).ShouldSucceed();

        int full = nest[0] - '0';
        int shift = full - (nest[2] - '0');
        TensorProto source = ModelFile.Load(Golden.Cnn).Graph!.Initializer.Single(tensor => tensor.Dims.SequenceEqual([32, 16, 3, 3]));
        float[] expected = source.ToFloats();
        NpyArray array = NpyArray.Read(_folder["u/conv2_Conv.w_int.npy"]);
        sbyte[] integers = Integers("w_int");
        sbyte[] high = Integers("w_high");
        sbyte[] low = Integers("w_low");
        float[] scale = NpyArray.Read(_folder["u/conv2_Conv.scale.npy"]).ToFloats();
        long[] zeroPoint = NpyArray.Read(_folder["u/conv2_Conv.zero_point.npy"]).ToInt64s();

        Assert.Equal(NpyType.Int8, array.Type);
        Assert.Equal(source.Dims, array.Shape);
        for (int i = 0; i < integers.Length; i++)
        {
            int channel = i / (16 * 9);
            Assert.Equal(integers[i], (high[i] << shift) + low[i]);
            Assert.InRange(integers[i], -(1 << (full - 1)), (1 << (full - 1)) - 1);
            // Adaptive rounding moves a value by less than one step; one more is left to the clipped end of the range.
            Assert.InRange(
                (integers[i] - zeroPoint[channel]) * scale[channel],
                expected[i] - (2 * scale[channel]),
                expected[i] + (2 * scale[channel]));
        }
    }

    [Fact]
    public void A_part_model_unpacks_its_high_operands_only()
    {
        Tool.CompileCnn(_folder);
        File.Delete(_folder["cnn.low.bin"]);

        ToolRun run = Tool.Run("inspect", _folder["cnn.part.onnx"], "--unpack", _folder["u"]).ShouldSucceed();
        Assert.Contains("w_int and what is absent of w_low are not written", run.Error, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder["u/conv2_Conv.w_high.npy"]));
        Assert.DoesNotContain(
            _folder.Entries,
            entry => entry.Contains("w_int", StringComparison.Ordinal) || entry.Contains("w_low", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_step_is_unpacked()
    {
        Tool.Run("compile", Golden.Cnn, "-o", _folder["cnn.onnx"], "--nest", "8:6:3").ShouldSucceed();
        Tool.Run("inspect", _folder["cnn.onnx"], "--unpack", _folder["u"]).ShouldSucceed();
        sbyte[] integers = Integers("w_int"), high = Integers("w_high"), low = Integers("w_low"), next = Integers("w_low_2");
        for (int i = 0; i < integers.Length; i++) Assert.Equal(integers[i], (((high[i] << 3) + low[i]) << 2) + next[i]);
    }

    private sbyte[] Integers(string part) =>
        MemoryMarshal.Cast<byte, sbyte>(NpyArray.Read(_folder[$"u/conv2_Conv.{part}.npy"]).Bytes).ToArray();
}
