using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Restores a float weight from its nested operands: W = (float)(w_int - zero point) * scale, per output channel, where w_int is
/// 2^l * w_high + w_low (full) or 2^l * w_high (part). Compare ONNX DequantizeLinear.
/// </summary>
/// <remarks>
/// Inputs: W_high uint8, W_low uint8 (optional), w_scale float[M], w_zero_point int32[M] (optional), bits int32 scalar.
/// Attributes: n, h, layout_version, weight_tag, shape (the output's), channel_view (whose elements are those of the shape).
/// </remarks>
internal sealed class NestedDequantizeLinear : CustomOperator
{
    private const int BitsInput = 4;

    /// <inheritdoc/>
    public override string Name => OperatorNames.NestedDequantizeLinear;

    /// <inheritdoc/>
    public override IReadOnlyList<OperatorInput> Inputs { get; } =
    [
        new("W_high", ElementType.UInt8),
        new("W_low", ElementType.UInt8, IsOptional: true),
        new("w_scale", ElementType.Float),
        new("w_zero_point", ElementType.Int32, IsOptional: true),
        new("bits", ElementType.Int32),
    ];

    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        int[] shape = WeightAttributes.Shape(info);
        ChannelView view = WeightAttributes.ChannelView(info, shape);
        return new Kernel(new NestedWeight(info, view, 0, BitsInput), [.. shape]);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.Ints(AttributeNames.Shape) is long[] shape)
            inference.SetFloatOutput(shape);
    }

    private sealed unsafe class Kernel(NestedWeight weight, long[] shape) : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            PanelSource source = weight.Bind(context, out float* scale, out int* zeroPoint);
            float* target = context.FloatOutput(shape);
            NestedDequantization.Run(weight.Tier, source, scale, zeroPoint, target, context.Loop);
        }
    }
}
