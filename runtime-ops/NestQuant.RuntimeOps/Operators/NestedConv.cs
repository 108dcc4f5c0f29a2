using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// A convolution of quantized activations with a nested weight, summed in exact integers; padded positions count as real 0. NestedConv's
/// result is float: compare ONNX Conv, of which it is the channels-last form. NestedQLinearConv's is uint8: compare ONNX QLinearConv.
/// </summary>
/// <remarks>
/// Inputs: X uint8 [N, H, W, C] or [N, W, C], x_scale float scalar, x_zero_point uint8 scalar, W_high, W_low (optional),
/// w_scale float[M], w_zero_point int32[M] (optional), B float[M] (optional), for the quantized form y_scale float scalar and y_zero_point
/// uint8 scalar, bits int32 scalar. Output: [N, H', W', M] or [N, W', M]. Attributes: n, h, layout_version, weight_tag, shape ([M, C/group,
/// k...], one or two spatial axes), and group, strides, dilations, pads, auto_pad as in ONNX Conv; for the quantized form clamp_min (0) and
/// clamp_max (255), bounds of the quantized result.
/// </remarks>
/// <param name="isQuantized">Whether the output is uint8.</param>
internal sealed class NestedConv(bool isQuantized) : CustomOperator
{
    /// <inheritdoc/>
    public override string Name => isQuantized ? OperatorNames.NestedQLinearConv : OperatorNames.NestedConv;

    /// <inheritdoc/>
    public override IReadOnlyList<OperatorInput> Inputs => isQuantized ? QuantizedOutput.Declaration : QuantizedInput.Declaration;

    /// <inheritdoc/>
    public override ElementType OutputType => isQuantized ? ElementType.UInt8 : ElementType.Float;

    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        ConvAttributes attributes = ConvAttributes.Read(info, WeightAttributes.Shape(info));
        NestedWeight weight = new(info, attributes.View(), QuantizedInput.WeightInput, Inputs.Count - 1);
        return new Kernel(attributes, weight, isQuantized ? new QuantizedOutput(info) : null);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (ConvAttributes.InferOutputShape(inference) is { } shape)
            inference.SetOutput(OutputType, shape);
    }

    private sealed unsafe class Kernel(ConvAttributes attributes, NestedWeight weight, QuantizedOutput? output) : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            QuantizedInput x = new(context);
            ConvolutionGeometry geometry = attributes.Geometry(x.Shape);
            PanelSource source = weight.Bind(context, out float* scale, out int* zeroPoint);
            float* bias = context.TryInput(QuantizedInput.BiasInput, "B", out TensorView b) ? b.Floats(attributes.OutputChannels) : null;
            Requantization? requantization = output?.Bind(context);
            void* y = context.Output(attributes.OutputShape(geometry, attributes.OutputChannels));
            ConvolutionData data = new(x.Data, x.ZeroPoint, x.Scale, scale, zeroPoint, bias, y, requantization);
            NestedConvolution.Run(weight.Tier, geometry, source, data, context.Loop);
        }
    }
}
