using NestQuant.Onnx;
using NestQuant.Onnx.Files;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.GoldenModels;
using NestQuant.RuntimeOps.Packing;
using Xunit.Abstractions;
using static NestQuant.Passes.Tests.Nesting.Calibrated.CalibratedCompile;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Trained models whose weights are rounded for data, on the 500 test images in ONNX Runtime. One image is 0.2 points.</summary>
public sealed class CalibratedGoldenTests(ITestOutputHelper output)
{
    public static TheoryData<string> Models => [.. GoldenModel.Names];

    /// <summary>Rounded without data, 8:3 has 83.2.</summary>
    [Theory]
    [InlineData(ActivationMode.WeightOnly)]
    [InlineData(ActivationMode.Static)]
    public void ThreeBitsAreNearlyAsGoodAsEight(ActivationMode activations)
    {
        ModelProto model = Compile("digits-mbv2", Weights("8:3"), activations);
        double full = Top1(model, 8), part = Top1(model, 3);
        output.WriteLine(FormattableString.Invariant($"{activations}: {full:F1} {part:F1}"));
        Assert.InRange(part, 98.4 - 1e-9, 100);
        Assert.InRange(full, 98.8 - 1e-9, 100);
    }

    [Theory]
    [InlineData(ActivationMode.WeightOnly)]
    [InlineData(ActivationMode.Static)]
    public void EveryLevelOfOneFileIsGood(ActivationMode activations)
    {
        ModelProto model = Compile("digits-mbv2", Weights("8:4:3:2"), activations);
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
        ModelProto plain = Compile("digits-cnn", Weights("8:4") with { Calibration = null }, activations);
        Assert.Equal(Logits(plain, 8), Logits(Compile("digits-cnn", Weights("8:4"), activations), 8));
    }

    [Fact]
    public void ThreadsAndRunsChangeNoByte()
    {
        CompilerOptions options = Options(Weights("8:4:2"));
        byte[] one = ModelFile.ToBytes(NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), options with { Threads = 1 }).Model);
        for (int i = 0; i < 2; i++)
            Assert.Equal(one, ModelFile.ToBytes(NestQuantCompiler.Compile(GoldenModel.Load("digits-cnn"), options with { Threads = 2 }).Model));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void TheFirstStageIsNotWorseForIt(string name)
    {
        float[] expected = Logits(GoldenModel.Load(name));
        double Full(WeightRounding rounding) =>
            Sqnr(expected, Logits(Compile(name, Weights("8:4") with { Rounding = rounding }, ActivationMode.WeightOnly), 8));
        double calibrated = Full(WeightRounding.Calibrated), adaptive = Full(WeightRounding.Adaptive), nearest = Full(WeightRounding.Nearest);
        output.WriteLine(FormattableString.Invariant($"{name}: {calibrated:F1} {adaptive:F1} {nearest:F1}"));
        Assert.InRange(calibrated, Math.Max(adaptive, nearest), double.PositiveInfinity);
    }

    private static ModelProto Compile(string name, WeightOptions weights, ActivationMode activations)
    {
        CompilerOptions options = Options(weights, activations);
        if (activations == ActivationMode.Static)
            options = options with { Activations = options.Activations with { Ranges = new DataCalibration(Digits) } };
        return NestQuantCompiler.Compile(GoldenModel.Load(name), options).Model;
    }
}
