using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class CacheEntryTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("5000")]
    [InlineData("1k")]
    [InlineData("64M")]
    [InlineData("1g")]
    public void Results_are_those_without_a_cache_at_either_precision(string cache)
    {
        ConvolutionCase full = NestedModels.SmallConv();
        ConvolutionCase part = NestedModels.SmallConv(isPart: true);
        Requantization requantization = new(1, 100);
        using InferenceSession session = NestedModels.QLinearConv(full, requantization).Open(2, (NestQuantOps.CacheConfigEntry, cache));
        foreach (int bits in new[] { 8, 8, 6, 6, 8 })
        {
            (byte[] y, _) = session.Run<byte>(("X", SessionRuns.Tensor(full.X, 1, 6, 5, 3)), ("bits", SessionRuns.Tensor<int>([bits])));
            Assert.Equal((bits == 8 ? full : part).ExpectedQuantized(requantization), y);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("k")]
    [InlineData("-1")]
    [InlineData("1.5m")]
    [InlineData("1 m")]
    [InlineData("many")]
    [InlineData("10000000000g")]
    [InlineData("99999999999999999999")]
    public void What_is_not_a_number_of_bytes_is_refused(string cache)
    {
        NodeModel model = NestedModels.QLinearConv(NestedModels.SmallConv(), new Requantization(1, 0));
        string message = Assert.Throws<OnnxRuntimeException>(() => model.Open(1, (NestQuantOps.CacheConfigEntry, cache)).Dispose()).Message;
        Assert.Contains($"nestquant.cache is '{cache}'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_that_a_run_may_feed_are_not_kept()
    {
        // Of layout version 1, where no tag ties a node to one weight; its panels are those of version 2.
        ConvolutionGeometry geometry = NestedModels.SmallConv().Geometry;
        ConvolutionCase first = new(geometry, new NestedBits(8, 6), 1, 0, level: 8, layoutVersion: 2);
        ConvolutionCase second = new(geometry, new NestedBits(8, 6), 2, 0, level: 8, layoutVersion: 2);
        Requantization requantization = new(1, 100);
        NodeModel model = NestedModels.QLinearConv(first, requantization)
            .With(AttributeProto.Int(AttributeNames.LayoutVersion, 1))
            .Default(Operand("W_high", Panels(first, 0)))
            .Default(Operand("W_low", Panels(first, 1)));
        using InferenceSession session = model.Open(1, (NestQuantOps.CacheConfigEntry, "1m"));
        Assert.Equal(Run(session, first, first), Run(session, first, first));
        Assert.NotEqual(Run(session, first, first), Run(session, first, second));
    }

    private static byte[] Run(InferenceSession session, ConvolutionCase image, ConvolutionCase weights) => session.Run<byte>(
        ("X", SessionRuns.Tensor(image.X, 1, 6, 5, 3)),
        Fed("W_high", Panels(weights, 0)),
        Fed("W_low", Panels(weights, 1))).Data;

    private static (string, OrtValue) Fed(string name, byte[] panels) => (name, SessionRuns.Tensor(panels, panels.Length));

    private static TensorProto Operand(string name, byte[] panels) =>
        TensorProto.FromBytes(name, TensorDataType.UInt8, [panels.Length], panels);

    private static byte[] Panels(ConvolutionCase c, int step) =>
        (step == 0 ? c.HighBytes : c.LowBytes)[..(int)c.Layout.PanelsLength(step)];
}
