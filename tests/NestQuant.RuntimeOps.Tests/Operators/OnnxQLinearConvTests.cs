using CsCheck;
using Microsoft.ML.OnnxRuntime;
using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>
/// NestedQLinearConv beside ONNX Runtime's own QLinearConv. Weights have 7 bits: ONNX Runtime's AVX2 kernel saturates with larger ones.
/// </summary>
public class OnnxQLinearConvTests
{
    private static readonly NestedBits Bits = new(7, 5);

    [Fact]
    public void Without_a_bias_the_results_are_the_same() =>
        Gen.Select(ConvolutionCase.Geometries, Gen.Int[0, int.MaxValue], Gen.Int[0, 255]).Sample(
            (geometry, seed, zeroPoint) =>
            {
                ConvolutionCase c = new(geometry, Bits, seed, 0, isPart: false);
                Requantization requantization = new(1.5f, zeroPoint);
                Assert.Equal(Reference(c, requantization, null), Nested(c, requantization, null));
            },
            iter: 60,
            threads: 1);

    [Fact]
    public void With_a_bias_they_differ_by_one_step_at_most() =>
        Gen.Select(ConvolutionCase.Geometries, Gen.Int[0, int.MaxValue]).Sample(
            (geometry, seed) =>
            {
                // ONNX rounds the bias to multiples of x_scale * w_scale; this one is such a multiple.
                ConvolutionCase c = new(geometry, Bits, seed, 0, isPart: false);
                Random random = new(seed);
                int[] bias = [.. Enumerable.Range(0, geometry.OutputChannels).Select(_ => random.Next(-5000, 5000))];
                Requantization requantization = new(1.5f, 100);
                byte[] reference = Reference(c, requantization, bias);
                byte[] nested = Nested(c, requantization, [.. bias.Select((b, m) => b * (c.XScale * c.WScale[m]))]);
                for (int i = 0; i < nested.Length; i++)
                    Assert.InRange(nested[i] - reference[i], -1, 1);
            },
            iter: 30,
            threads: 1);

    private static byte[] Nested(ConvolutionCase c, Requantization requantization, float[]? bias)
    {
        NodeModel model = NestedModels.QLinearConv(c, requantization);
        if (bias is null)
            model.Absent("B");
        else
            model.Constant(TensorProto.FromFloats("B", [bias.Length], bias));
        using InferenceSession session = model.Open();
        ConvolutionGeometry g = c.Geometry;
        return session.Run<byte>(("X", SessionRuns.Tensor(c.X, g.Batch, g.Height.Input, g.Width.Input, g.InputChannels))).Data;
    }

    /// <summary>ONNX Runtime's result, brought to channels last.</summary>
    private static byte[] Reference(ConvolutionCase c, Requantization requantization, int[]? bias)
    {
        ConvolutionGeometry g = c.Geometry;
        int pixels = g.Height.Input * g.Width.Input;
        byte[] x = new byte[c.X.Length];
        for (int i = 0; i < x.Length; i++)
            x[(i / g.InputChannels / pixels * g.InputChannels + i % g.InputChannels) * pixels + i / g.InputChannels % pixels] = c.X[i];
        NodeModel model = new NodeModel("QLinearConv") { Domain = "", OutputType = TensorDataType.UInt8 }
            .Fed("X", TensorDataType.UInt8, g.Batch, g.InputChannels, g.Height.Input, g.Width.Input)
            .Constant(TensorProto.FromFloats("x_scale", [], [c.XScale]))
            .Constant(TensorProto.FromBytes("x_zero_point", TensorDataType.UInt8, [], [c.XZeroPoint]))
            .Constant(TensorProto.FromBytes(
                "W", TensorDataType.Int8, [
                    g.OutputChannels, g.ChannelsPerGroup, g.Height.Kernel, g.Width.Kernel
                ], [.. c.Weights.ToArray().Select(w => (byte)w)]))
            .Constant(TensorProto.FromFloats("w_scale", [g.OutputChannels], c.WScale))
            .Constant(TensorProto.FromBytes("w_zero_point", TensorDataType.Int8, [g.OutputChannels], new byte[g.OutputChannels]))
            .Constant(TensorProto.FromFloats("y_scale", [], [requantization.Scale]))
            .Constant(TensorProto.FromBytes("y_zero_point", TensorDataType.UInt8, [], [(byte)requantization.ZeroPoint]))
            .With(AttributeProto.Int("group", g.Groups))
            .With(AttributeProto.IntList("strides", g.Height.Stride, g.Width.Stride))
            .With(AttributeProto.IntList("dilations", g.Height.Dilation, g.Width.Dilation))
            .With(
                AttributeProto.IntList(
                    "pads", g.Height.PadBegin, g.Width.PadBegin, NestedModels.PadEnd(g.Height), NestedModels.PadEnd(g.Width)));
        if (bias is not null)
            model.Constant(TensorProto.FromInt32s("B", [bias.Length], bias));
        using InferenceSession session = model.Open();
        byte[] y = session.Run<byte>(("X", SessionRuns.Tensor(x, g.Batch, g.InputChannels, g.Height.Input, g.Width.Input))).Data;
        byte[] last = new byte[y.Length];
        int positions = g.Height.Output * g.Width.Output;
        for (int i = 0; i < y.Length; i++)
            last[i] = y[
                (i / g.OutputChannels / positions * g.OutputChannels + i % g.OutputChannels) * positions + i / g.OutputChannels % positions
            ];
        return last;
    }
}
