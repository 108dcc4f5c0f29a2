using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Any function of one quantized value, as a table: Y = table[X]. It stands for DequantizeLinear, an activation such as Sigmoid or
/// HardSwish, and QuantizeLinear.
/// </summary>
internal sealed class QLinearLookup() : CustomOperator(OperatorSet.QLinearLookup)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info) => new Kernel(Schema[InputNames.X], Schema[InputNames.Table]);

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(InputNames.X) is { } shape)
            inference.SetOutput(shape);
    }

    private sealed unsafe class Kernel(InputSchema input, InputSchema lookup) : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            TensorView x = context.Input(input);
            byte* values = x.Bytes();
            byte* table = context.Input(lookup).Bytes(ByteLookup.TableLength);
            ByteLookup.Run(values, table, (byte*)context.Output(x.Shape), x.Count, context.Loop);
        }
    }
}
