using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Calibration;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.RuntimeOps.Packing;
using Xunit.Abstractions;
using static NestQuant.Passes.Tests.Nesting.Calibrated.CalibratedCompile;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Trained models whose weights are rounded for data, on the 500 test images in ONNX Runtime. One image is 0.2 points.</summary>
[Collection(SequentialTests.Name)]
public sealed class CalibratedGoldenTests(ITestOutputHelper output) : IDisposable
{
    private readonly ArrayData _data = Digits();

    public static TheoryData<string> Models => [.. GoldenModel.Names];

    public void Dispose() => _data.Dispose();

    /// <summary>Rounded without data, 8:3 has 83.2 at 3 bits.</summary>
    [Theory]
    [InlineData(ActivationMode.WeightOnly)]
    [InlineData(ActivationMode.Static)]
    public void EveryLevelOfOneFileIsGood(ActivationMode activations)
    {
        ModelProto model = Compile("digits-mbv2", Weights("8:4:3:2", _data), activations);
        foreach ((int bits, double least) in ((int, double)[])[(8, 98.8), (4, 98.6), (3, 98.4), (2, 94)])
        {
            double top1 = Top1(model, bits);
            output.WriteLine(FormattableString.Invariant($"{activations}: {bits} bits {top1:F1}"));
            Assert.InRange(top1, least - 1e-9, 100);
        }
    }

    [Theory]
    [InlineData(ActivationMode.WeightOnly)]
    [InlineData(ActivationMode.Dynamic)]
    [InlineData(ActivationMode.Static)]
    public void FullPrecisionStaysToTheBit(ActivationMode activations)
    {
        ModelProto plain = Compile("digits-cnn", Weights("8:4", _data) with { Calibration = null }, activations);
        Assert.Equal(Logits(plain, 8), Logits(Compile("digits-cnn", Weights("8:4", _data), activations), 8));
    }

    [Fact]
    public void ThreadsAndRunsChangeNoByte()
    {
        CompilerOptions options = Options(Weights("8:3", _data));
        byte[] Bytes(int threads) =>
            ModelFile.ToBytes(NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), options with { Threads = threads }).Model);
        byte[] one = Bytes(1);
        Assert.Equal(one, Bytes(2));
        Assert.Equal(one, Bytes(2));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void TheFirstStageIsNotWorseForIt(string name)
    {
        float[] expected = Logits(GoldenModel.Load(name));
        double Full(WeightOptions weights) => Sqnr(expected, Logits(Compile(name, weights, ActivationMode.WeightOnly), 8));
        WeightOptions data = Weights("8:4", _data) with { Rounding = WeightRounding.Calibrated }, none = data with { Calibration = null };
        double calibrated = Full(data), adaptive = Full(none with { Rounding = WeightRounding.Adaptive }),
            nearest = Full(none with { Rounding = WeightRounding.Nearest });
        output.WriteLine(FormattableString.Invariant($"{name}: {calibrated:F1} {adaptive:F1} {nearest:F1}"));
        Assert.InRange(calibrated, Math.Max(adaptive, nearest), double.PositiveInfinity);
    }

    private ModelProto Compile(string name, WeightOptions weights, ActivationMode activations)
    {
        CompilerOptions options = Options(weights, activations);
        if (activations == ActivationMode.Static)
            options = options with { Activations = options.Activations with { Ranges = new DataCalibration(_data.Set) } };
        return NestQuantCompiler.Compile(GoldenModel.Load(name), options).Model;
    }
}
