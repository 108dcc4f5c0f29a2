using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Restores a float weight from its nested operands: W = (float)(w_int - zero point) * scale, per output channel, where w_int is
/// 2^(n-b) * w_b at the level of b bits. Compare ONNX DequantizeLinear.
/// </summary>
internal sealed class NestedDequantizeLinear() : CustomOperator(OperatorSet.NestedDequantizeLinear)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        int[] shape = WeightAttributes.Shape(info);
        ChannelView view = WeightAttributes.ChannelView(info, shape);
        return new Kernel(new NestedWeight(info, view), [.. shape]);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.Ints(OperatorAttributes.Shape) is long[] shape)
            inference.SetOutput(shape);
    }

    private sealed unsafe class Kernel(NestedWeight weight, long[] shape) : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            PanelSource source = weight.Bind(context);
            ChannelFactors factors = weight.Factors.Bind(context, source.Level);
            float* target = context.FloatOutput(shape);
            NestedDequantization.Run(weight.Tier, source, factors.Scale, factors.ZeroPoint, target, context.Loop);
        }
    }
}
