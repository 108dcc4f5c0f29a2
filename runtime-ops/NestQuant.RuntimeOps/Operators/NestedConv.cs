using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// A convolution of quantized activations with a nested weight, summed in exact integers; padded positions count as real 0.
/// Compare ONNX Conv, of which it is the channels-last form.
/// </summary>
/// <remarks>
/// Inputs: X uint8 [N, H, W, C] or [N, W, C], x_scale float scalar, x_zero_point uint8 scalar, W_high, W_low (optional),
/// w_scale float[M], w_zero_point int32[M] (optional), B float[M] (optional), bits int32 scalar. Output: float [N, H', W', M] or
/// [N, W', M]. Attributes: n, h, layout_version, shape ([M, C/group, k...], one or two spatial axes), and group, strides,
/// dilations, pads, auto_pad as in ONNX Conv.
/// </remarks>
internal sealed class NestedConv : CustomOperator
{
    /// <inheritdoc/>
    public override string Name => OperatorNames.NestedConv;

    /// <inheritdoc/>
    public override IReadOnlyList<OperatorInput> Inputs => QuantizedInput.Declaration;

    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        int[] shape = WeightAttributes.Shape(info);
        ConvAttributes attributes = ConvAttributes.Read(info, shape);
        long taps = shape.Skip(2).Aggregate(1L, (product, k) => product * k);
        if (taps > int.MaxValue)
            throw new OperatorException("the kernel has more than 2^31 - 1 positions");
        ChannelView view = new(shape[0], shape[1], 1, (int)taps);
        return new Kernel(attributes, new NestedWeight(info, view, QuantizedInput.WeightInput, QuantizedInput.BitsInput));
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(0) is not { } x || inference.Ints(AttributeNames.Shape) is not { } shape)
            return;
        if (x.Length != shape.Length || shape.Any(d => d is < 1 or > int.MaxValue))
            return;
        ConvAttributes attributes = new(
            [.. shape.Select(d => (int)d)],
            inference.Int(AttributeNames.Group, 1),
            inference.Ints(AttributeNames.Strides),
            inference.Ints(AttributeNames.Dilations),
            inference.Ints(AttributeNames.Pads),
            inference.String(AttributeNames.AutoPad, "NOTSET"));
        for (int axis = 0; axis < attributes.Axes; axis++)
            x[1 + axis] = x[1 + axis] < 0 ? -1 : attributes.Axis(axis, x[1 + axis]).Output;
        x[^1] = attributes.OutputChannels;
        inference.SetFloatOutput(x);
    }

    private sealed unsafe class Kernel(ConvAttributes attributes, NestedWeight weight) : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            QuantizedInput x = new(context);
            ConvolutionGeometry geometry = attributes.Geometry(x.Shape);
            PanelSource source = weight.Bind(context, out float* scale, out int* zeroPoint);
            float* bias = context.TryInput(QuantizedInput.BiasInput, "B", out TensorView b) ? b.Floats(attributes.OutputChannels) : null;
            ReadOnlySpan<long> outputShape = attributes.Axes == 2
                ? [geometry.Batch, geometry.Height.Output, geometry.Width.Output, attributes.OutputChannels]
                : [geometry.Batch, geometry.Width.Output, attributes.OutputChannels];
            ConvolutionData data = new(x.Data, x.ZeroPoint, x.Scale, scale, zeroPoint, bias, context.FloatOutput(outputShape));
            NestedConvolution.Run(weight.Tier, geometry, source, data, context.Loop);
        }
    }
}
