using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Multiplies quantized activations with a nested weight matrix: Y = (X - x_zero_point) * x_scale times W, plus B, summed in exact
/// integers. NestedGemm's result is float: compare ONNX MatMul and Gemm. NestedQLinearGemm's is uint8: compare ONNX QLinearMatMul.
/// </summary>
/// <param name="schema">NestedGemm or NestedQLinearGemm.</param>
internal sealed class NestedGemm(OperatorSchema schema) : CustomOperator(schema)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        GemmAttributes attributes = GemmAttributes.Read(info);
        NestedWeight weight = new(info, attributes.View);
        QuantizedOutput? output = Schema.HasQuantizedOutput ? new QuantizedOutput(info) : null;
        return new Kernel(attributes, new QuantizedInput(Schema), weight, output);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference) => GemmAttributes.InferShape(inference);

    private sealed unsafe class Kernel(GemmAttributes attributes, QuantizedInput input, NestedWeight weight, QuantizedOutput? output)
        : CustomKernel
    {
        private ConvolutionShape? _shape;

        public override void Compute(in KernelContext context)
        {
            QuantizedActivations x = input.Bind(context);
            ConvolutionShape shape = _shape = attributes.Shape(x.Shape, _shape);
            PanelSource source = weight.Bind(context);
            ChannelFactors factors = weight.Factors.Bind(context, source.Level);
            Requantization? requantization = output?.Bind(context);
            void* y = context.Output(shape.Output);
            ConvolutionData data = new(x.Data, x.ZeroPoint, x.Scale, factors, y, requantization);
            context.Tell(weight.Convolution.Run(shape.Geometry, source, data, context.Loop)?.Note);
        }
    }
}
