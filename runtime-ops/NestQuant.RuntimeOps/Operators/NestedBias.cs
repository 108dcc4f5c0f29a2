using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// The bias of a weight-only layer at the precision of a run: B at full precision, or -0, which adds nothing, without B; a row of part_bias
/// below it.
/// </summary>
internal sealed class NestedBias() : CustomOperator(OperatorSet.NestedBias)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info) => new Kernel(info, WeightAttributes.Bits(info));

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(InputNames.PartBias) is [_, var channels])
            inference.SetOutput([channels]);
    }

    private sealed unsafe class Kernel(in KernelInfo info, NestedBits bits) : CustomKernel
    {
        private readonly InputSchema _bias = info.Schema[InputNames.Bias];
        private readonly InputSchema _partBias = info.Schema[InputNames.PartBias];
        private readonly InputSchema _precision = info.Schema[InputNames.Bits];
        private readonly PartRows _rows = new(info.Schema[InputNames.PartBias], bits);
        private readonly PrecisionSelector _selector = new(bits, info.ConfigEntry(SessionEntries.Bits));

        public override void Compute(in KernelContext context)
        {
            int level = _selector.LevelAt(*context.Input(_precision).Int32s(1), bits.Count);
            ReadOnlySpan<long> shape = context.Input(_partBias).Shape;
            long channels = shape.Length == 0 ? 1 : shape[^1];
            float* row = _rows.Of(context, level, channels);
            float* bias = context.TryInput(_bias, out TensorView tensor) ? tensor.Floats(channels) : null;
            float* source = level == bits.Full ? bias : row;
            Span<float> y = new(context.FloatOutput([channels]), checked((int)channels));
            if (source == null)
                y.Fill(-0f);
            else
                new ReadOnlySpan<float>(source, y.Length).CopyTo(y);
        }
    }
}
