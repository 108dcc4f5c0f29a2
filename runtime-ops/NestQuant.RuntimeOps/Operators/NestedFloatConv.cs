using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.WeightOnly;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// A convolution of float activations, channels second, with a nested weight, which is decoded on the way. Compare ONNX Conv.
/// </summary>
internal sealed class NestedFloatConv() : CustomOperator(OperatorSet.NestedFloatConv)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        ConvAttributes attributes = ConvAttributes.Read(info, WeightAttributes.Shape(info));
        return new Kernel(attributes, Schema, new NestedWeight(info, attributes.View()), OutputBounds.Read(info));
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (ConvAttributes.InferOutputShape(inference) is { } shape)
            inference.SetOutput(shape);
    }

    private sealed unsafe class Kernel(ConvAttributes attributes, OperatorSchema schema, NestedWeight weight, ClipBounds bounds)
        : CustomKernel
    {
        private readonly InputSchema _input = schema[InputNames.X], _addend = schema[InputNames.Addend];
        private readonly FloatPlans _plans = new(weight.Tier, weight.Threads, weight.Layout, bounds, isConvolution: true);
        private ConvolutionShape? _shape;
        private PlanNote? _told;

        public override void Compute(in KernelContext context)
        {
            TensorView x = context.Input(_input);
            float* values = x.Floats();
            ConvolutionShape shape = _shape = attributes.Shape(x.Shape, attributes.OutputChannels, _shape);
            PanelSource source = weight.Bind(context);
            ChannelFactors factors = weight.Factors.Bind(context, source.Level);
            float* addend = context.TryInput(_addend, out TensorView added) ? added.Floats(shape.Output) : null;
            float* y = context.FloatOutput(shape.Output);
            string? name = _plans.Run(shape.Geometry, source, factors, values, addend, y, context.Loop);
            if (name is not null && (_told?.Geometry != shape.Geometry || _told.Level != source.Level))
                context.Tell(_told = new PlanNote(weight.Tier, name, shape.Geometry, source.Level));
        }
    }
}
