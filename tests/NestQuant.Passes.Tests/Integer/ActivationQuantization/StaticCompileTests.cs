using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;
using Xunit.Abstractions;

namespace NestQuant.Passes.Tests.Integer.ActivationQuantization;

/// <summary>The whole compiler with static activations.</summary>
public sealed class StaticCompileTests(ITestOutputHelper output)
{
    public static TheoryData<string> Models => [.. GoldenModel.Names];

    [Fact]
    public void WithoutRangesStaticIsRefused()
    {
        var options = new CompilerOptions
        {
            Weights = new() { Bits = new NestedBits(8, 6) },
            Activations = new() { Mode = ActivationMode.Static },
        };
        Assert.Contains(
            "need ranges",
            Assert.Throws<ArgumentException>(() => NestQuantCompiler.CreatePipeline(options)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void NothingIsQuantizedAtRunTime(string name)
    {
        ModelProto model = NestQuantCompiler.Compile(GoldenModel.Load(name), Options(Training())).Model;
        Assert.DoesNotContain(model.AllNodes(), static node => node.OpType is "DynamicQuantizeLinear" or "Conv" or "Gemm");
        ModelRunner.Open(model).Dispose();
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void CompilingTheResultAgainChangesNothingAndNeedsNoRanges(string name)
    {
        MeasuredRanges ranges = Training();
        CompilerOptions options = Options(ranges);
        ModelProto model = NestQuantCompiler.Compile(GoldenModel.Load(name), options).Model;
        byte[] bytes = ModelFile.ToBytes(model);
        Assert.False(NestQuantCompiler.CreatePipeline(options).Run(new ModelContext(model)).Changed);
        Assert.Equal(bytes, ModelFile.ToBytes(NestQuantCompiler.Compile(model, options).Model));
        Assert.Equal(1, ranges.Requests);
    }

    /// <summary>What has no range is still nested: its activations are quantized at run time.</summary>
    [Fact]
    public void WithoutARangeActivationsAreQuantizedAtRunTime()
    {
        ModelProto source = new GraphBuilder()
            .Input("x", 1, 4, 8, 8)
            .Random("W", 4, 4, 3, 3)
            .Random("V", 4, 4, 3, 3)
            .Node("a = Conv(x, W)")
            .Node("y = Conv(a, V)")
            .Output("y")
            .Model();
        ModelProto model = NestQuantCompiler.Compile(
            source, Options(new MeasuredRanges(("x", TensorValue.Random(1, 4, 8, 8))) { Unknown = ["a"] })).Model;
        Assert.Equal(
            ["QuantizeLinear", "Transpose", "NestedConv", "DynamicQuantizeLinear", "NestedConv", "Transpose"],
            model.Graph!.Node.Select(static node => node.OpType));
    }

    /// <summary>As exporters write them from operator set 18 on.</summary>
    [Theory]
    [InlineData("z = Resize(a, , scales)", "Resize")]
    [InlineData("z = Resize(a, , , sizes)", "Resize")]
    [InlineData("z = Pad(a, pads, , axes)", "Pad")]
    public void OperatorsThatNameTheirAxesStayInIntegersAndChannelsLast(string node, string op)
    {
        ModelProto source = new GraphBuilder().Input("x", 1, 4, 8, 8).Random("W", 4, 4, 3, 3).Random("V", 4, 4, 3, 3)
            .Floats("scales", [2], 3, 2).Int64s("sizes", 8, 9).Int64s("pads", 1, 2, 0, 1).Int64s("axes", 3, 2)
            .Node("a = Conv(x, W)").Node(node, op == "Resize" ? [AttributeProto.IntList("axes", 3, 2)] : []).Node("y = Conv(z, V)")
            .Output("y").Model(18);
        ModelProto model = NestQuantCompiler.Compile(source, Options(new MeasuredRanges(("x", TensorValue.Random(1, 4, 8, 8))))).Model;
        string[] expected = ["QuantizeLinear", "Transpose", "NestedQLinearConv", op, "NestedConv", "Transpose"];
        Assert.Equal(expected, model.Graph!.Node.Select(static node => node.OpType));
    }

    /// <summary>A quantized value of the main graph is used inside a body as it is.</summary>
    [Fact]
    public void ABodyUsesTheQuantizedValueOfTheOuterGraph()
    {
        GraphBuilder then = new GraphBuilder("then").Node("t = Conv(a, V)").Output("t"),
            otherwise = new GraphBuilder("else").Node("e = Conv(a, V)").Output("e");
        ModelProto source = new GraphBuilder().Input("x", 1, 4, 8, 8).Random("W", 4, 4, 3, 3).Random("V", 4, 4, 3, 3)
            .Node("a = Conv(x, W)").If("b", then, otherwise).Node("z = Conv(a, V)").Node("y = Add(b, z)").Output("y").Model();
        (string, TensorValue)[] feeds = [("x", TensorValue.Random(1, 4, 8, 8)), ("c", TensorValue.OfBool(true))];
        TensorValue expected = ModelRunner.Run(source, feeds)["y"];
        ModelProto model = NestQuantCompiler.Compile(source, Options(new MeasuredRanges(feeds))).Model;
        Assert.DoesNotContain(model.AllNodes(), static node => node.OpType is "DynamicQuantizeLinear" or "Conv");
        Closeness.AssertClose(expected, ModelRunner.Run(model, feeds)["y"], 0.05f);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void AccuracyIsCloseToFloat(string name)
    {
        using InferenceSession float32 = ModelRunner.Open(GoldenModel.Load(name)), session = ModelRunner.Open(
            NestQuantCompiler.Compile(GoldenModel.Load(name), Options(Training())).Model, threads: 2);
        AssertClose(
            GoldenModel.Top1(GoldenModel.Logits(float32, GoldenModel.TestImages), GoldenModel.TestLabels),
            GoldenModel.Top1(GoldenModel.Logits(session, GoldenModel.TestImages), GoldenModel.TestLabels),
            GoldenModel.Top1(GoldenModel.Logits(session, GoldenModel.TestImages, 6), GoldenModel.TestLabels));
    }

    /// <summary>Ranges from 200 calibration images, top-1 on 1,000 others.</summary>
    [SkippableFact]
    public void ResNet20IsCloseToFloat()
    {
        string? folder = SharedAssets.Find("cifar");
        Skip.If(folder is null, "../shared/assets/cifar is not there");
        TensorValue images = GoldenModel.Images(Path.Combine(folder!, "test-images.npy"));
        long[] labels = NestQuant.Data.NpyArray.Read(Path.Combine(folder!, "test-labels.npy")).ToInt64s();
        ModelProto source = ModelFile.Load(Path.Combine(folder!, "cifar-resnet20.onnx"));
        using InferenceSession float32 = ModelRunner.Open(source, threads: 2);
        double expected = GoldenModel.Top1(GoldenModel.Logits(float32, images), labels);
        var ranges = new MeasuredRanges(("input", First(GoldenModel.Images(Path.Combine(folder!, "calibration-images.npy")), 200)));
        using InferenceSession session = ModelRunner.Open(NestQuantCompiler.Compile(source, Options(ranges)).Model, threads: 2);
        AssertClose(
            expected,
            GoldenModel.Top1(GoldenModel.Logits(session, images), labels),
            GoldenModel.Top1(GoldenModel.Logits(session, images, 6), labels));
    }

    private static CompilerOptions Options(MeasuredRanges ranges) => new()
    {
        Weights = new() { Bits = new NestedBits(8, 6) },
        Activations = new() { Mode = ActivationMode.Static, Ranges = ranges },
    };

    private static MeasuredRanges Training() => new(("input", First(GoldenModel.TrainingImages, 200)));

    private static TensorValue First(TensorValue images, int count)
    {
        int length = images.Bytes.Length / (int)images.Shape[0] * count;
        return images with { Shape = [count, .. images.Shape[1..]], Bytes = images.Bytes[..length] };
    }

    private void AssertClose(double float32, double full, double part)
    {
        output.WriteLine(FormattableString.Invariant($"float {float32:F1}, full {full:F1}, part {part:F1}"));
        Assert.True(float32 - full <= 0.5 + 1e-9, $"full {full}, float {float32}");
        Assert.True(full - part <= 1 + 1e-9, $"part {part}, full {full}");
    }
}
