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
        ConvAttributes attributes = ConvAttributes.Read(info, WeightAttributes.Shape(info));
        return new Kernel(attributes, new NestedWeight(info, attributes.View(), QuantizedInput.WeightInput, QuantizedInput.BitsInput));
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (ConvAttributes.InferOutputShape(inference) is { } shape)
            inference.SetFloatOutput(shape);
    }

    private sealed unsafe class Kernel(ConvAttributes attributes, NestedWeight weight) : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            QuantizedInput x = new(context);
            ConvolutionGeometry geometry = attributes.Geometry(x.Shape);
            PanelSource source = weight.Bind(context, out float* scale, out int* zeroPoint);
            float* bias = context.TryInput(QuantizedInput.BiasInput, "B", out TensorView b) ? b.Floats(attributes.OutputChannels) : null;
            float* y = context.FloatOutput(attributes.OutputShape(geometry, attributes.OutputChannels));
            ConvolutionData data = new(x.Data, x.ZeroPoint, x.Scale, scale, zeroPoint, bias, y);
            NestedConvolution.Run(weight.Tier, geometry, source, data, context.Loop);
        }
    }
}
