using NestQuant.Onnx;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Calibration;
using NestQuant.Passes.Tests.GoldenModels;
using Xunit.Abstractions;
using static NestQuant.Passes.Tests.Nesting.Calibrated.CalibratedCompile;

namespace NestQuant.Passes.Tests.Nesting.Calibrated;

/// <summary>Ranges that are chosen for data help where outliers set the range, and do no harm elsewhere.</summary>
[Collection(SequentialTests.Name)]
public sealed class WeightRangeTests(ITestOutputHelper output) : IDisposable
{
    private readonly ArrayData _data = Digits();

    public void Dispose() => _data.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(6)]
    public void FullPrecisionIsKeptAndPartPrecisionGains(float outlier)
    {
        const int bits = 3;
        ModelProto source = WithOutliers(GoldenModel.Load("digits-cnn"), outlier);
        float[] expected = Logits(source);
        (double Full, double Part) Measured(WeightRange range)
        {
            WeightOptions weights = Weights($"8:{bits}", _data) with { Range = range };
            ModelProto model = NestQuantCompiler.Compile(source, Options(weights)).Model;
            return (Sqnr(expected, Logits(model, 8)), Sqnr(expected, Logits(model, bits)));
        }

        (double Full, double Part) all = Measured(WeightRange.MinMax), chosen = Measured(WeightRange.Calibrated);
        output.WriteLine(FormattableString.Invariant($"{all.Full:F1} {all.Part:F1}, chosen {chosen.Full:F1} {chosen.Part:F1}"));
        Assert.InRange(chosen.Full, all.Full - 0.5, double.PositiveInfinity);
        Assert.InRange(chosen.Part, all.Part, double.PositiveInfinity);
    }

    /// <summary>Multiplies the first weight of every output channel.</summary>
    private static ModelProto WithOutliers(ModelProto model, float factor)
    {
        List<TensorProto> initializers = model.Graph!.Initializer;
        for (int i = 0; i < initializers.Count; i++)
        {
            if (initializers[i].Dims.Count < 2) continue;
            float[] values = initializers[i].ToFloats();
            int length = values.Length / (int)initializers[i].Dims[0];
            for (int m = 0; m < values.Length; m += length) values[m] *= factor;
            initializers[i] = TensorProto.FromFloats(initializers[i].Name, [.. initializers[i].Dims], values);
        }

        return model;
    }
}
