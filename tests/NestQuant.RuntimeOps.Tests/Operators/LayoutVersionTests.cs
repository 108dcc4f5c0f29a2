using Microsoft.ML.OnnxRuntime;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

public class LayoutVersionTests
{
    /// <summary>Four channels: a last panel of 32 in versions 2 and 3, of 8 in version 4.</summary>
    [Theory]
    [InlineData("8:6", 2)]
    [InlineData("8:6", 4)]
    [InlineData("8:6:4", 3)]
    [InlineData("8:6:4", 4)]
    public void Every_version_gives_the_same_results(string levels, int version)
    {
        NestedBits bits = NestedBits.Parse(levels);
        Requantization requantization = new(1, 100);
        ConvolutionCase Case(int level) => new(NestedModels.SmallConv().Geometry, bits, 1, 0, level, layoutVersion: version);
        using InferenceSession session = NestedModels.QLinearConv(Case(bits.Full), requantization).Open(1);
        foreach (int level in bits.Levels)
        {
            (byte[] y, _) = session.Run<byte>(
                ("X", SessionRuns.Tensor(Case(level).X, 1, 6, 5, 3)), ("bits", SessionRuns.Tensor<int>([level])));
            Assert.Equal(Case(level).ExpectedQuantized(requantization), y);
        }
    }
}
