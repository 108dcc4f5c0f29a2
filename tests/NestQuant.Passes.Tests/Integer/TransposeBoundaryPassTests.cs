using NestQuant.Onnx;
using NestQuant.Passes.Export;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Integer.ActivationQuantization;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests.Integer;

/// <summary>Transposes around nested convolutions stay out of operators that ONNX Runtime would break with them.</summary>
public sealed class TransposeBoundaryPassTests
{
    private static readonly (string, TensorValue)[] X = [("x", TensorValue.Random(1, 4, 8, 8))];

    [Theory]
    [InlineData("z = Resize(a, , , sizes)", "cubic", "Resize")]
    [InlineData("z = Resize(a, , channels)", "linear", "Resize")]
    [InlineData("z = CenterCropPad(a, extents)", null, "CenterCropPad")]
    [InlineData("z = Resize(s, , , extents)", null, "Resize", "DepthToSpace")]
    public void ACopyKeepsThemApart(string node, string? mode, string op, string copy = "Einsum")
    {
        ModelProto compiled = Compile(node, mode is null ? AttributeProto.IntList("axes", 2, 3) : AttributeProto.String("mode", mode));
        List<NodeProto> nodes = compiled.Graph!.Node;
        int at = nodes.FindIndex(n => n.OpType == op);
        Assert.Equal(copy, nodes[at - 1].OpType);
        Assert.Equal(nodes[at - 1].Output[0], nodes[at].Input[0]);
        Assert.False(PassRun.Of(new TransposeBoundaryPass(), compiled).Changed);
        Assert.Single(ModelRunner.Run(compiled, X));

        // The channels-first export has no transposes to keep apart.
        ModelProto exported = ModelExport.ToQdq(compiled, new ExportOptions { Bits = 8 }).Model;
        Assert.DoesNotContain(exported.Graph!.Node, static n => n.OpType is "Einsum" or "DepthToSpace" or "Transpose");
    }

    [Theory]
    [InlineData("z = Resize(a, , twice)", "linear")]
    [InlineData("z = Resize(a, , twice)", "nearest")]
    public void WhatWorksOnEitherOrderNeedsNone(string node, string mode) =>
        Assert.DoesNotContain(Compile(node, AttributeProto.String("mode", mode)).Graph!.Node, static n => n.OpType == "Einsum");

    [Fact]
    public void WithoutNestedOperatorsThereIsNothingToKeepApart()
    {
        ModelProto model = new GraphBuilder().Input("x", 1, 4, 8, 8).Int64s("sizes", 1, 4, 5, 9)
            .Node("a = Abs(x)").Node("y = Resize(a, , , sizes)", AttributeProto.String("mode", "cubic")).Output("y").Model();
        Assert.False(PassRun.Of(new TransposeBoundaryPass(), model).Changed);
    }

    private static ModelProto Compile(string node, AttributeProto attribute)
    {
        bool isMap = !node.Contains("channels", StringComparison.Ordinal);
        ModelProto source = new GraphBuilder().Input("x", 1, 4, 8, 8).Random("W", 4, 4, 3, 3).Random("V", 4, 4, 1, 1)
            .Int64s("sizes", 1, 4, 5, 9).Int64s("extents", 5, 9).Floats("channels", [4], 1, 2, 2, 1).Floats("twice", [4], 1, 1, 2, 2)
            .Node("a = Conv(x, W)")
                .Node("s = Softmax(a)")
                .Node(node, attribute)
                .Node(isMap ? "y = Conv(z, V)" : "y = Abs(z)")
                .Output("y")
                .Model(18);
        NestQuant.Onnx.Graph.DeadCode.Remove(source.Graph!);
        var options = new CompilerOptions
        {
            Weights = new() { Bits = new NestedBits(8, 6) },
            Activations = new() { Mode = ActivationMode.Static, Ranges = new MeasuredRanges(X) },
        };
        return NestQuantCompiler.Compile(source, options).Model;
    }
}
