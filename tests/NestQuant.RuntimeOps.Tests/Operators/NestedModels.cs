using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>Models of one nested operator over a random case; X and bits are fed.</summary>
internal static class NestedModels
{
    public static NodeModel Conv(ConvolutionCase c, string opType = OperatorNames.NestedConv, Requantization? requantization = null)
    {
        ConvolutionGeometry g = c.Geometry;
        return Integer(opType, c, requantization, [-1, g.Height.Input, g.Width.Input, g.InputChannels])
            .With(AttributeProto.IntList(AttributeNames.Shape, g.OutputChannels, g.ChannelsPerGroup, g.Height.Kernel, g.Width.Kernel))
            .With(AttributeProto.Int(AttributeNames.Group, g.Groups))
            .With(AttributeProto.IntList(AttributeNames.Strides, g.Height.Stride, g.Width.Stride))
            .With(AttributeProto.IntList(AttributeNames.Dilations, g.Height.Dilation, g.Width.Dilation))
            .With(AttributeProto.IntList(AttributeNames.Pads, g.Height.PadBegin, g.Width.PadBegin, PadEnd(g.Height), PadEnd(g.Width)));
    }

    /// <summary>A matrix product whose weight is [N, K].</summary>
    public static NodeModel Gemm(ConvolutionCase c, params long[] xShape) => Gemm(OperatorNames.NestedGemm, c, null, xShape);

    /// <summary>A convolution with a uint8 output.</summary>
    public static NodeModel QLinearConv(ConvolutionCase c, Requantization requantization) =>
        Conv(c, OperatorNames.NestedQLinearConv, requantization);

    /// <summary>A matrix product with a uint8 output, whose weight is [N, K].</summary>
    public static NodeModel QLinearGemm(ConvolutionCase c, Requantization requantization, params long[] xShape) =>
        Gemm(OperatorNames.NestedQLinearGemm, c, requantization, xShape);

    private static NodeModel Gemm(string opType, ConvolutionCase c, Requantization? requantization, long[] xShape) =>
        Integer(opType, c, requantization, xShape)
            .With(AttributeProto.IntList(AttributeNames.Shape, c.Geometry.OutputChannels, c.Geometry.ChannelsPerGroup))
            .With(AttributeProto.IntList(AttributeNames.ChannelView, c.Geometry.OutputChannels, c.Geometry.ChannelsPerGroup, 1, 1));

    public static NodeModel DequantizeLinear(
        NestedLayout layout, byte[] high, byte[] low, float[] scale, int[]? zeroPoint, params long[] shape)
    {
        NodeModel model = Weight(new NodeModel(OperatorNames.NestedDequantizeLinear), layout, high, low, scale, zeroPoint);
        ChannelView view = layout.View;
        if (layout.Bits.Count == 2)
            model.With(AttributeProto.String(AttributeNames.WeightTag, WeightTag.Of(layout, high, low).ToString()));
        return model.Default(TensorProto.FromInt32s("bits", [], [layout.Bits.Full]))
            .With(AttributeProto.IntList(AttributeNames.Shape, shape))
            .With(AttributeProto.IntList(AttributeNames.ChannelView, view.Groups, view.Inner, view.Channels, view.Taps));
    }

    /// <summary>A case's float weight, [N, K].</summary>
    public static NodeModel DequantizeLinear(ConvolutionCase c) => Precision(
        DequantizeLinear(
            c.Layout, c.HighBytes, c.LowBytes, c.WScale, c.WZeroPoint, c.Geometry.OutputChannels, c.Layout.View.WeightsPerChannel)
            .With(AttributeProto.String(AttributeNames.WeightTag, WeightTag.Of(c.Layout, [.. c.Operands]).ToString())),
        c,
        hasBias: false);

    /// <summary>The bias of a case's layer.</summary>
    public static NodeModel Bias(ConvolutionCase c)
    {
        NodeModel model = new(OperatorNames.NestedBias);
        if (c.Bias is null)
            model.Absent("B");
        else
            model.Constant(TensorProto.FromFloats("B", [c.Bias.Length], c.Bias));
        return Levels(model.Default(TensorProto.FromInt32s("bits", [], [c.Layout.Bits.Full])), c.Layout.Bits)
            .Constant(Rows("part_bias", c.PartBias!, c));
    }

    /// <summary>Gives a model the inputs and attributes of its case that select the precision, at the end of its inputs.</summary>
    public static NodeModel Precision(NodeModel model, ConvolutionCase c, bool hasBias = true)
    {
        model.Default(TensorProto.FromInt32s("bits", [], [c.Layout.Bits.Full]));
        if (c.PartScale is { } scale)
            model.Constant(Rows("part_scale", scale, c));
        else
            model.Absent("part_scale");
        if (hasBias && c.PartBias is { } bias)
            model.Constant(Rows("part_bias", bias, c));
        else if (hasBias)
            model.Absent("part_bias");
        for (int step = 2; step < c.Operands.Length; step++)
            model.Constant(
                TensorProto.FromBytes(InputNames.WeightStep(step), TensorDataType.UInt8, [c.Operands[step].Length], c.Operands[step]));
        return Levels(model, c.Layout.Bits);
    }

    private static NodeModel Levels(NodeModel model, NestedBits bits)
    {
        model.With(AttributeProto.Int(AttributeNames.FullBits, bits.Full)).With(AttributeProto.Int(AttributeNames.HighBits, bits.High));
        return bits.Count == 2
            ? model
            : model.With(AttributeProto.IntList(AttributeNames.Levels, [.. bits.Levels.Select(static level => (long)level)]));
    }

    private static TensorProto Rows(string name, float[] rows, ConvolutionCase c) =>
        TensorProto.FromFloats(name, [c.Layout.Bits.Count - 1, c.Geometry.OutputChannels], rows);

    /// <summary>The end padding that gives an axis its output extent.</summary>
    public static int PadEnd(ConvolutionAxis axis) =>
        Math.Max(0, (axis.Output - 1) * axis.Stride + (axis.Kernel - 1) * axis.Dilation + 1 - axis.Input - axis.PadBegin);

    public static ConvolutionCase SmallConv(int seed = 1, bool isPart = false) =>
        new(new ConvolutionGeometry(1, new(6, 3, 1, 1, 1, 6), new(5, 3, 1, 1, 1, 5), 1, 3, 4), new NestedBits(8, 6), seed, 0, isPart);

    public static ConvolutionCase SmallGemm(int rows, int seed = 1, bool isPart = false) =>
        new(
            new ConvolutionGeometry(1, ConvolutionAxis.Single, ConvolutionAxis.Rows(rows), 1, 20, 7),
            new NestedBits(8, 6),
            seed,
            0,
            isPart);

    private static NodeModel Integer(string opType, ConvolutionCase c, Requantization? requantization, long[] xShape)
    {
        NodeModel model = new NodeModel(opType) { OutputType = requantization is null ? TensorDataType.Float : TensorDataType.UInt8 }
            .Fed("X", TensorDataType.UInt8, xShape)
            .Constant(TensorProto.FromFloats("x_scale", [], [c.XScale]))
            .Constant(TensorProto.FromBytes("x_zero_point", TensorDataType.UInt8, [], [c.XZeroPoint]));
        Weight(model, c.Layout, c.HighBytes, c.LowBytes, c.WScale, c.WZeroPoint)
            .With(AttributeProto.String(AttributeNames.WeightTag, WeightTag.Of(c.Layout, [.. c.Operands]).ToString()));
        if (c.Bias is null)
            model.Absent("B");
        else
            model.Constant(TensorProto.FromFloats("B", [c.Bias.Length], c.Bias));
        if (requantization is { } r)
        {
            model.Constant(TensorProto.FromFloats("y_scale", [], [r.Scale]))
                .Constant(TensorProto.FromBytes("y_zero_point", TensorDataType.UInt8, [], [(byte)r.ZeroPoint]))
                .With(AttributeProto.Int(AttributeNames.ClampMin, r.ClampMin))
                .With(AttributeProto.Int(AttributeNames.ClampMax, r.ClampMax));
        }

        return Precision(model, c);
    }

    private static NodeModel Weight(NodeModel model, NestedLayout layout, byte[] high, byte[] low, float[] scale, int[]? zeroPoint)
    {
        model.Constant(TensorProto.FromBytes("W_high", TensorDataType.UInt8, [high.Length], high))
            .Constant(TensorProto.FromBytes("W_low", TensorDataType.UInt8, [low.Length], low))
            .Constant(TensorProto.FromFloats("w_scale", [scale.Length], scale));
        if (zeroPoint is null)
            model.Absent("w_zero_point");
        else
            model.Constant(TensorProto.FromInt32s("w_zero_point", [zeroPoint.Length], zeroPoint));
        return model
            .With(AttributeProto.Int(AttributeNames.FullBits, layout.Bits.Full))
            .With(AttributeProto.Int(AttributeNames.HighBits, layout.Bits.High))
            .With(AttributeProto.Int(AttributeNames.LayoutVersion, layout.Version));
    }
}
