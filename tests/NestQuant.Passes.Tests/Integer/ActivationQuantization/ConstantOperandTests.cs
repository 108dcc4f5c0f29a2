using NestQuant.Onnx;
using NestQuant.Passes.Tests.Models;
using NestQuant.TestSupport;
using static NestQuant.Passes.Tests.Integer.ActivationQuantization.ActivationQuantizationPassTests;

namespace NestQuant.Passes.Tests.Integer.ActivationQuantization;

/// <summary>Operators with constants in integer regions, and which of their results are rounded.</summary>
public sealed class ConstantOperandTests
{
    [Theory]
    [InlineData("b = Add(a, one)")]
    [InlineData("b = Mul(channels, a)")]
    [InlineData("b = PRelu(a, channels)")]
    [InlineData("b = Concat(a, pad)")]
    [InlineData("b = BatchNormalization(a, s, s, s, v)")]
    public void AnOperandMayBeConstant(string node)
    {
        AttributeProto[] attributes = node.Contains("Concat", StringComparison.Ordinal) ? [AttributeProto.Int("axis", 2)] : [];
        GraphBuilder graph = Convs("a = Conv(x, W)")
            .Floats("one", [], 1)
            .Random("channels", 4, 1, 1)
            .Random("s", 4)
            .Floats("v", [4], 1, 2, 1, 2)
            .Random("pad", 2, 4, 1, 6);
        Assert.Equal(["x", "a", "b"], Quantized(Quantize(graph.Node(node, attributes).Node("y = Conv(b, V)"))));
    }

    [Theory]
    [InlineData("b = Add(a, wide)", "only Add with a constant that differs along one axis has an integer form")]
    [InlineData("b = PRelu(a, wide)", "only PRelu with a constant that differs along one axis has an integer form")]
    [InlineData("b = Sub(a, other)", "only Sub with a constant that differs along one axis has an integer form")]
    [InlineData("b = Mul(row, a)", "the number of channels of 'a' is not known")]
    [InlineData("b = PRelu(a, other)", "only PRelu with a constant that differs along one axis has an integer form")]
    public void AnotherOperandKeepsANode(string node, string reason)
    {
        PassRun run = Quantize(
            Convs("a = Conv(x, W)", "other = Conv(x, W2)", "kept: " + node, "y = Conv(b, V)").Random("wide", 4, 6, 6).Random("row", 6));
        Assert.Equal(["x", "b"], Quantized(run));
        Assert.Equal(reason, run.ReasonFor("kept"));
    }

    [Fact]
    public void AConstantThatGivesTheResultAnotherShapeKeepsANode()
    {
        PassRun run = Quantize(
            Convs("a = Conv(x, N)", "kept: b = Mul(a, channels)", "y = Conv(b, V)").Random("N", 1, 4, 3, 3).Random("channels", 4, 1, 1));
        Assert.Equal("its constant has 4 values for 1 channels of 'a'", run.ReasonFor("kept"));
    }

    [Fact]
    public void TheStepsOfOneFunctionAreNotRounded()
    {
        GraphBuilder graph = Convs(
            "a = Conv(x, W)", "t = Add(a, three)", "c = Clip(t, zero, six)", "d = Div(c, six)", "b = Mul(a, d)", "y = Conv(b, V)");
        graph.Floats("three", [], 3).Floats("zero", [], 0).Floats("six", [], 6);
        Assert.Equal(["x", "a", "b"], Quantized(Quantize(graph)));
    }

    [Fact]
    public void AStepThatIsReadOtherwiseIsRounded()
    {
        GraphBuilder graph = Convs("a = Conv(x, W)", "l = LeakyRelu(a)", "b = Max(a, l)", "y = Conv(b, V)", "z = Conv(l, U)");
        Assert.Equal(["x", "a", "l", "b"], Quantized(Quantize(graph, "y", "z")));
    }

    [Fact]
    public void AProductIsNotRoundedBeforeItsBias()
    {
        (string, TensorValue) x = ("x", TensorValue.Random(1, 3, 4));
        GraphBuilder graph = new GraphBuilder()
            .Input("x", 1, 3, 4)
            .Random("W", 4, 5)
            .Random("bias", 5)
            .Random("V", 5, 4)
            .Node("p = MatMul(x, W)")
            .Node("a = Add(p, bias)")
            .Node("b = Tanh(a)")
            .Node("y = MatMul(b, V)");
        Assert.Equal(["x", "a", "b"], Quantized(Quantize(graph, [x])));
    }
}
