using NestQuant.Onnx;
using NestQuant.Passes.Tests.Models;
using Xunit.Abstractions;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>
/// Whole networks: what is left of transposes and float operators, and how far the result is from that of the quantize-dequantize form.
/// </summary>
public sealed class StaticNetworkTests(ITestOutputHelper output)
{
    /// <summary>
    /// Integers that are all equal leave float32's rounding. Where two forms of the same sum fall on different sides of a half they differ
    /// by one step, which later layers spread: that may happen on a machine that adds floats in another order.
    /// </summary>
    private const float Tolerance = 0.005f;

    /// <summary>Transposes that are left: those at the input, and where maps are flattened or are the output.</summary>
    private static readonly Dictionary<string, int> Transposes = new(StringComparer.Ordinal)
    {
        ["ResNet-50"] = 1,
        ["MobileNetV3"] = 1,
        ["EfficientNet"] = 1,
        ["Inception"] = 1,
        ["VGG"] = 2,
        ["U-Net"] = 2,
        ["decoder"] = 2,
        ["MobileFaceNet"] = 1,
    };

    public static TheoryData<string> Names => [.. StaticNetworks.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void OnlyBordersAreFloatOrTransposed(string name)
    {
        ModelProto source = StaticNetworks.All[name]();
        (string, TensorValue)[] feeds =
        [
            ("input", TensorValue.Random([.. source.Graph!.Input[0].Type!.TensorType!.Shape!.Dim.Select(static dim => dim.DimValue ?? 0)]))
        ];
        QdqReference full = QdqReference.Of(source, part: false, feeds), part = QdqReference.Of(source, part: true, feeds);
        output.WriteLine(string.Join(' ', full.Ops));

        Assert.Equal(Transposes[name], full.Count("Transpose"));
        Assert.Equal(1, full.Count("QuantizeLinear"));
        Assert.Equal(0, full.Count("DequantizeLinear"));
        Assert.Equal(1, full.Count("NestedConv") + full.Count("NestedGemm"));
        Assert.DoesNotContain(
            full.Ops,
            static op =>
                op is "Relu"
                    or "ConvTranspose"
                    or "DepthToSpace"
                    or "Clip"
                    or "Add"
                    or "Mul"
                    or "Sigmoid"
                    or "HardSwish"
                    or "Concat"
                    or "AveragePool"
                    or "GlobalAveragePool"
                    or "MaxPool");

        float fullError = full.RelativeError(null, feeds), partError = part.RelativeError(6, feeds);
        output.WriteLine(FormattableString.Invariant($"full {fullError}, part {partError}"));
        Assert.InRange(fullError, 0, Tolerance);
        Assert.InRange(partError, 0, Tolerance);
    }
}
