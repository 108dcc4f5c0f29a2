using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Compiler.Calibration;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Tests.Models;
using NestQuant.RuntimeOps.Packing;
using NestQuant.TestSupport;
using static NestQuant.Passes.Tests.Integer.ActivationQuantization.ActivationQuantizationPassTests;

namespace NestQuant.Passes.Tests.Integer.ActivationQuantization;

/// <summary>Pairs of QuantizeLinear and DequantizeLinear that a model brings along.</summary>
public sealed class ModelPairTests
{
    [Fact]
    public void PairsOfTheModelAreUsedAsTheyAre()
    {
        var ranges = new MeasuredRanges(X);
        GraphBuilder graph = Convs(
            "q = QuantizeLinear(x, s, z)",
            "d = DequantizeLinear(q, s, z)",
            "conv: a = Conv(d, W)",
            "b = Relu(a)",
            "q2 = QuantizeLinear(b, s, z)",
            "d2 = DequantizeLinear(q2, s, z)",
            "y = Conv(d2, V)")
            .Floats("s", [], 0.05f).Constant(TensorProto.FromBytes("z", TensorDataType.UInt8, [], [128]));
        PassRun run = Quantize(ranges, graph, "y");
        Assert.False(run.Changed);
        Assert.Equal(0, ranges.Requests);
        Assert.Equal("the model quantizes its activations already", run.ReasonFor("conv"));
        Assert.Equal("the model quantizes its result already", run.ReasonFor("b"));
    }

    [Fact]
    public void Int8PairsOfTheModelAreUsedAsUInt8()
    {
        GraphBuilder graph = Convs(
            "pair: q = QuantizeLinear(x, s, z)",
            "d = DequantizeLinear(q, s, z)",
            "a = Conv(d, W)",
            "q2 = QuantizeLinear(a, s2, z)",
            "d2 = DequantizeLinear(q2, s2, z)",
            "y = Conv(d2, V)")
            .Floats("s", [], 1f / 64)
                .Floats("s2", [], 0.05f)
                .Constant(TensorProto.FromBytes("z", TensorDataType.Int8, [], [unchecked((byte)-5)]));
        ModelProto model = graph.Output("y").Model();
        using InferenceSession before = ModelRunner.Open(model, optimize: false);
        TensorValue expected = ModelRunner.Run(before, X)["y"];
        var ranges = new MeasuredRanges(X);
        PassRun run = PassRun.Of(Pass(ranges), model);
        Assert.True(run.About("pair").Rewritten);
        Assert.Equal(0, ranges.Requests);
        Assert.Equal([123], run.Graph.Initializer.Single(static tensor => tensor.Name == "z_unsigned").GetBytes().ToArray());
        using InferenceSession after = ModelRunner.Open(run.Model, optimize: false);
        Assert.Equal(expected.Bytes, ModelRunner.Run(after, X)["y"].Bytes);
    }
}
