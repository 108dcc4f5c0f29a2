using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.WeightOnly;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// Multiplies float activations with a nested weight matrix, which is decoded on the way: Y = X times W, plus B, bounded. Compare ONNX
/// MatMul and Gemm.
/// </summary>
internal sealed class NestedFloatGemm() : CustomOperator(OperatorSet.NestedFloatGemm)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        GemmAttributes attributes = GemmAttributes.Read(info);
        return new Kernel(attributes, Schema[InputNames.X], new NestedWeight(info, attributes.View), OutputBounds.Read(info));
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference) => GemmAttributes.InferShape(inference);

    private sealed unsafe class Kernel(GemmAttributes attributes, InputSchema input, NestedWeight weight, ClipBounds bounds) : CustomKernel
    {
        private readonly FloatPlans _plans = new(weight.Tier, weight.Threads, weight.Layout, bounds, isConvolution: false);
        private ConvolutionShape? _shape;
        private PlanNote? _told;

        public override void Compute(in KernelContext context)
        {
            TensorView x = context.Input(input);
            float* values = x.Floats();
            ConvolutionShape shape = _shape = attributes.Shape(x.Shape, _shape);
            PanelSource source = weight.Bind(context);
            ChannelFactors factors = weight.Factors.Bind(context, source.Level);
            float* y = context.FloatOutput(shape.Output);
            string? name = _plans.Run(shape.Geometry, source, factors, values, addend: null, y, context.Loop);
            if (name is not null && (_told?.Geometry != shape.Geometry || _told.Level != source.Level))
                context.Tell(_told = new PlanNote(weight.Tier, name, shape.Geometry, source.Level));
        }
    }
}
