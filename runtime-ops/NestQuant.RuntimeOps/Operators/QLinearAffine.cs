using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Schema;
using static System.FormattableString;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// An affine function of every channel of a quantized tensor, and PRelu of its result. It stands for DequantizeLinear, operators such as
/// Mul, Add, BatchNormalization or PRelu with a constant for every channel, and QuantizeLinear.
/// </summary>
internal sealed class QLinearAffine() : CustomOperator(OperatorSet.QLinearAffine)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        long axis = info.Int(OperatorAttributes.Axis);
        if (axis >= 0)
            throw new OperatorException(Invariant($"attribute 'axis' is {axis}: -1 for the last axis, -2 for the one before, and so on"));
        return new Kernel(Schema, axis, new QuantizedInput(Schema), new QuantizedOutput(info));
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(InputNames.X) is { } shape)
            inference.SetOutput(shape);
    }

    private sealed unsafe class Kernel(OperatorSchema schema, long axis, QuantizedInput input, QuantizedOutput output) : CustomKernel
    {
        private readonly InputSchema _scale = schema[InputNames.ChannelScale];
        private readonly InputSchema _bias = schema[InputNames.ChannelBias];
        private readonly InputSchema _slope = schema[InputNames.Slope];

        public override void Compute(in KernelContext context)
        {
            QuantizedActivations x = input.Bind(context);
            if (axis < -x.Shape.Length)
                throw new OperatorException(Invariant($"attribute 'axis' is {axis}, and X has {x.Shape.Length} dimensions"));
            int at = (int)(x.Shape.Length + axis);
            (long outer, long inner) = (Product(x.Shape[..at]), Product(x.Shape[(at + 1)..]));
            int channels = checked((int)x.Shape[at]);
            float* scale = Factors(context, _scale, channels), bias = Factors(context, _bias, channels);
            float* slope = Factors(context, _slope, channels);
            Requantization requantization = output.Bind(context);
            byte* y = (byte*)context.Output(x.Shape);
            using Scratch memory = new(AffineFactors.Bytes(channels));
            AffineFactors factors = new((float*)memory.Address, channels, scale, bias, slope, x.Scale, requantization.Scale);
            if (factors.UnusableChannel is { } channel)
                throw new OperatorException(Invariant($"the factors of channel {channel} are not finite, or too large for float32"));
            ByteAffine.Run(x.Data, x.ZeroPoint, factors, requantization, y, outer, inner, context.Loop);
        }

        private static float* Factors(in KernelContext context, InputSchema factors, int channels) =>
            context.TryInput(factors, out TensorView tensor) ? tensor.Floats(channels) : null;

        private static long Product(ReadOnlySpan<long> extents)
        {
            long product = 1;
            foreach (long extent in extents)
                product *= extent;
            return product;
        }
    }
}
