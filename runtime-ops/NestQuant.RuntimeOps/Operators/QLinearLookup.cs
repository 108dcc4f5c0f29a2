using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Any function of one quantized value, as a table: Y = table[X]. It stands for DequantizeLinear, an activation such as Sigmoid or
/// HardSwish, and QuantizeLinear.
/// </summary>
/// <remarks>
/// Inputs: X uint8 of any shape, table uint8[256]. Output: uint8 of X's shape. Other attributes, such as the function's name, are not read.
/// </remarks>
internal sealed class QLinearLookup : CustomOperator
{
    /// <inheritdoc/>
    public override string Name => OperatorNames.QLinearLookup;

    /// <inheritdoc/>
    public override IReadOnlyList<OperatorInput> Inputs { get; } = [new("X", ElementType.UInt8), new("table", ElementType.UInt8)];

    /// <inheritdoc/>
    public override ElementType OutputType => ElementType.UInt8;

    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info) => new Kernel();

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(0) is { } shape)
            inference.SetOutput(OutputType, shape);
    }

    private sealed unsafe class Kernel : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            TensorView x = context.Input(0, "X");
            byte* values = x.Bytes();
            byte* table = context.Input(1, "table").Bytes(ByteLookup.TableLength);
            ByteLookup.Run(values, table, (byte*)context.Output(x.Shape), x.Count, context.Loop);
        }
    }
}
