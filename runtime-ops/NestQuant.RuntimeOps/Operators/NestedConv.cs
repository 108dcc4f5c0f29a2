using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// A convolution of quantized activations with a nested weight, summed in exact integers; padded positions count as real 0. NestedConv's
/// result is float: compare ONNX Conv, of which it is the channels-last form. NestedQLinearConv's is uint8: compare ONNX QLinearConv.
/// </summary>
/// <param name="schema">NestedConv or NestedQLinearConv.</param>
internal sealed class NestedConv(OperatorSchema schema) : CustomOperator(schema)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        ConvAttributes attributes = ConvAttributes.Read(info, WeightAttributes.Shape(info));
        NestedWeight weight = new(info, attributes.View());
        QuantizedOutput? output = Schema.HasQuantizedOutput ? new QuantizedOutput(info) : null;
        return new Kernel(attributes, new QuantizedInput(Schema), weight, output);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (ConvAttributes.InferOutputShape(inference) is { } shape)
            inference.SetOutput(shape);
    }

    private sealed unsafe class Kernel(ConvAttributes attributes, QuantizedInput input, NestedWeight weight, QuantizedOutput? output)
        : CustomKernel
    {
        private ConvolutionShape? _shape;

        public override void Compute(in KernelContext context)
        {
            QuantizedActivations x = input.Bind(context);
            ConvolutionShape shape = _shape = attributes.Shape(x.Shape, attributes.OutputChannels, _shape);
            PanelSource source = weight.Bind(context);
            ChannelFactors factors = weight.Factors.Bind(context, source.Level);
            Requantization? requantization = output?.Bind(context);
            void* y = context.Output(shape.Output);
            ConvolutionData data = new(x.Data, x.ZeroPoint, x.Scale, factors, y, requantization);
            context.Tell(weight.Convolution.Run(shape.Geometry, source, data, context.Loop)?.Note);
        }
    }
}
