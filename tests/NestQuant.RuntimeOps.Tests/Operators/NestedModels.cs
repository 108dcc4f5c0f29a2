using NestQuant.Onnx;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Operators;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;
using NestQuant.RuntimeOps.Tests.Kernels.Convolutions;
using NestQuant.RuntimeOps.Tests.Kernels.WeightOnly;
using NestQuant.TestSupport;

namespace NestQuant.RuntimeOps.Tests.Operators;

/// <summary>Models of one nested operator over a random case; X and bits are fed.</summary>
internal static class NestedModels
{
    public static NodeModel Conv(ConvolutionCase c, string opType = OperatorNames.NestedConv, Requantization? requantization = null)
    {
        ConvolutionGeometry g = c.Geometry;
        return AddConvolution(Integer(opType, c, requantization, [-1, g.Height.Input, g.Width.Input, g.InputChannels]), g);
    }

    private static NodeModel AddConvolution(NodeModel model, ConvolutionGeometry g) =>
        model.With(AttributeProto.IntList(AttributeNames.Shape, g.OutputChannels, g.ChannelsPerGroup, g.Height.Kernel, g.Width.Kernel))
            .With(AttributeProto.Int(AttributeNames.Group, g.Groups))
            .With(AttributeProto.IntList(AttributeNames.Strides, g.Height.Stride, g.Width.Stride))
            .With(AttributeProto.IntList(AttributeNames.Dilations, g.Height.Dilation, g.Width.Dilation))
            .With(AttributeProto.IntList(AttributeNames.Pads, g.Height.PadBegin, g.Width.PadBegin, PadEnd(g.Height), PadEnd(g.Width)));

    /// <summary>A matrix product whose weight is [N, K].</summary>
    public static NodeModel Gemm(ConvolutionCase c, params long[] xShape) => Gemm(OperatorNames.NestedGemm, c, null, xShape);

    /// <summary>A convolution with a uint8 output.</summary>
    public static NodeModel QLinearConv(ConvolutionCase c, Requantization requantization) =>
        Conv(c, OperatorNames.NestedQLinearConv, requantization);

    /// <summary>A matrix product with a uint8 output, whose weight is [N, K].</summary>
    public static NodeModel QLinearGemm(ConvolutionCase c, Requantization requantization, params long[] xShape) =>
        Gemm(OperatorNames.NestedQLinearGemm, c, requantization, xShape);

    private static NodeModel Gemm(string opType, ConvolutionCase c, Requantization? requantization, long[] xShape) =>
        AddMatrix(Integer(opType, c, requantization, xShape), c.Geometry);

    private static NodeModel AddMatrix(NodeModel model, ConvolutionGeometry g) =>
        model.With(AttributeProto.IntList(AttributeNames.Shape, g.OutputChannels, g.ChannelsPerGroup))
            .With(AttributeProto.IntList(AttributeNames.ChannelView, g.OutputChannels, g.ChannelsPerGroup, 1, 1));

    /// <summary>A convolution of floats, channels second.</summary>
    public static NodeModel FloatConv(FloatCase c, params long[] xShape)
    {
        ConvolutionGeometry g = c.Case.Geometry;
        long[] shape = xShape.Length > 0 ? xShape : [-1, g.InputChannels, g.Height.Input, g.Width.Input];
        return AddConvolution(Float(OperatorNames.NestedFloatConv, c, shape), g);
    }

    /// <summary>A matrix product of floats, whose weight is [N, K].</summary>
    public static NodeModel FloatGemm(FloatCase c, params long[] xShape) =>
        AddMatrix(Float(OperatorNames.NestedFloatGemm, c, xShape), c.Case.Geometry);

    public static NodeModel DequantizeLinear(
        NestedLayout layout, byte[] high, byte[] low, float[] scale, int[]? zeroPoint, params long[] shape)
    {
        return Dequantize(layout, [high, low], scale, zeroPoint, shape);
    }

    /// <summary>The weight of a case, with its scales below full precision.</summary>
    public static NodeModel DequantizeLinear(ConvolutionCase c, params long[] shape)
    {
        NodeModel model = Dequantize(c.Layout, c.Operands, c.WScale, c.WZeroPoint, shape);
        AddRows(model, InputNames.PartScale, c.Layout, c.PartScale);
        return AddSteps(model, c);
    }

    /// <summary>The weight of a case as a table whose rows are its output channels; indices are fed.</summary>
    public static NodeModel Gather(ConvolutionCase c, TensorDataType indexType, long[] rowShape, params long[] indices)
    {
        ChannelView view = c.Layout.View;
        NodeModel model = new NodeModel(OperatorNames.NestedGather).Fed("indices", indexType, indices);
        Weight(model, c.Layout, c.Operands, c.WScale, c.WZeroPoint)
            .Default(TensorProto.FromInt32s("bits", [], [c.Layout.Bits.Full]))
            .With(AttributeProto.IntList(AttributeNames.Shape, [view.Groups, .. rowShape]))
            .With(AttributeProto.IntList(AttributeNames.ChannelView, view.Groups, view.Inner, view.Channels, view.Taps));
        AddRows(model, InputNames.PartScale, c.Layout, c.PartScale);
        return AddSteps(model, c);
    }

    /// <summary>The bias of a case.</summary>
    public static NodeModel Bias(ConvolutionCase c)
    {
        NodeModel model = new(OperatorNames.NestedBias);
        AddBias(model, c);
        model.Default(TensorProto.FromInt32s("bits", [], [c.Layout.Bits.Full]));
        AddRows(model, InputNames.PartBias, c.Layout, c.PartBias);
        return AddLevels(model, c.Layout.Bits);
    }

    private static NodeModel Dequantize(NestedLayout layout, byte[][] operands, float[] scale, int[]? zeroPoint, long[] shape)
    {
        NodeModel model = Weight(new NodeModel(OperatorNames.NestedDequantizeLinear), layout, operands, scale, zeroPoint);
        ChannelView view = layout.View;
        return model.Default(TensorProto.FromInt32s("bits", [], [layout.Bits.Full]))
            .With(AttributeProto.IntList(AttributeNames.Shape, shape))
            .With(AttributeProto.IntList(AttributeNames.ChannelView, view.Groups, view.Inner, view.Channels, view.Taps));
    }

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

    private static NodeModel Float(string opType, FloatCase c, long[] xShape)
    {
        NodeModel model = new NodeModel(opType).Fed("X", TensorDataType.Float, xShape);
        Weight(model, c.Case.Layout, c.Case.Operands, c.Case.WScale, c.Case.WZeroPoint);
        AddBias(model, c.Case);
        return AddPrecision(model, c.Case)
            .With(AttributeProto.Float(AttributeNames.ActivationMin, c.Bounds.Min))
            .With(AttributeProto.Float(AttributeNames.ActivationMax, c.Bounds.Max));
    }

    private static NodeModel Integer(string opType, ConvolutionCase c, Requantization? requantization, long[] xShape)
    {
        NodeModel model = new NodeModel(opType) { OutputType = requantization is null ? TensorDataType.Float : TensorDataType.UInt8 }
            .Fed("X", TensorDataType.UInt8, xShape)
            .Constant(TensorProto.FromFloats("x_scale", [], [c.XScale]))
            .Constant(TensorProto.FromBytes("x_zero_point", TensorDataType.UInt8, [], [c.XZeroPoint]));
        Weight(model, c.Layout, c.Operands, c.WScale, c.WZeroPoint);
        AddBias(model, c);
        if (requantization is { } r)
        {
            model.Constant(TensorProto.FromFloats("y_scale", [], [r.Scale]))
                .Constant(TensorProto.FromBytes("y_zero_point", TensorDataType.UInt8, [], [(byte)r.ZeroPoint]))
                .With(AttributeProto.Int(AttributeNames.ClampMin, r.ClampMin))
                .With(AttributeProto.Int(AttributeNames.ClampMax, r.ClampMax));
        }

        return AddPrecision(model, c);
    }

    /// <summary>Adds the inputs from <c>bits</c> on.</summary>
    internal static NodeModel AddPrecision(NodeModel model, ConvolutionCase c)
    {
        model.Default(TensorProto.FromInt32s("bits", [], [c.Layout.Bits.Full]));
        if (c.PartScale is null && c.Operands.Length == 2)
            return model;
        AddRows(model, InputNames.PartScale, c.Layout, c.PartScale);
        AddRows(model, InputNames.PartBias, c.Layout, c.PartBias);
        return AddSteps(model, c);
    }

    /// <summary>Takes the inputs from <c>bits</c> on away again, to put others before them.</summary>
    internal static NodeModel RemovePrecision(NodeModel model)
    {
        foreach (InputSchema input in OperatorInputs.Precision)
            model.Remove(input.Name);
        return model;
    }

    private static void AddBias(NodeModel model, ConvolutionCase c)
    {
        if (c.Bias is null)
            model.Absent("B");
        else
            model.Constant(TensorProto.FromFloats("B", [c.Bias.Length], c.Bias));
    }

    private static void AddRows(NodeModel model, string input, NestedLayout layout, float[]? rows)
    {
        if (rows is null)
            model.Absent(input);
        else
            model.Constant(TensorProto.FromFloats(input, [layout.Bits.Count - 1, layout.View.OutputChannels], rows));
    }

    private static NodeModel AddSteps(NodeModel model, ConvolutionCase c)
    {
        for (int step = 2; step < c.Operands.Length; step++)
            model.Constant(Operand(InputNames.WeightStep(step), c.Operands[step]));
        return model;
    }

    private static NodeModel AddLevels(NodeModel model, NestedBits bits)
    {
        model.With(AttributeProto.Int(AttributeNames.FullBits, bits.Full)).With(AttributeProto.Int(AttributeNames.HighBits, bits.High));
        return bits.Count == 2
            ? model
            : model.With(AttributeProto.IntList(AttributeNames.Levels, [.. bits.Levels.Select(static level => (long)level)]));
    }

    internal static TensorProto Operand(string name, byte[] bytes) =>
        TensorProto.FromBytes(name, TensorDataType.UInt8, [bytes.Length], bytes);

    private static NodeModel Weight(NodeModel model, NestedLayout layout, byte[][] operands, float[] scale, int[]? zeroPoint)
    {
        model.Constant(Operand("W_high", operands[0]))
            .Constant(Operand("W_low", operands[1]))
            .Constant(TensorProto.FromFloats("w_scale", [scale.Length], scale));
        if (zeroPoint is null)
            model.Absent("w_zero_point");
        else
            model.Constant(TensorProto.FromInt32s("w_zero_point", [zeroPoint.Length], zeroPoint));
        WeightTag tag = WeightTag.Of(layout, [.. operands.Select(static operand => (ReadOnlyMemory<byte>)operand)]);
        return AddLevels(model, layout.Bits)
            .With(AttributeProto.Int(AttributeNames.LayoutVersion, layout.Version))
            .With(AttributeProto.String(AttributeNames.WeightTag, tag.ToString()));
    }
}
