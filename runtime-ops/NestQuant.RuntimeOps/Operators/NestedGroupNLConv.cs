using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.GroupNL;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// <see cref="NestedConv"/> followed by a channels-last <see cref="GroupNLExpand"/>, bit for bit, without a tensor between them: the
/// convolution writes the seed maps where they end up, and each row is expanded in place when its last seed map is there.
/// </summary>
internal sealed class NestedGroupNLConv() : CustomOperator(OperatorSet.NestedGroupNLConv)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        ConvAttributes convolution = ConvAttributes.Read(info, WeightAttributes.Shape(info));
        NestedWeight weight = new(info, convolution.View());
        GroupNLAttributes expansion = new(info);
        expansion.RequireSeeds(convolution.OutputChannels);
        return new Kernel(convolution, new QuantizedInput(Schema), weight, expansion);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (ConvAttributes.InferOutputShape(inference) is not { } shape)
            return;
        shape[^1] = GroupNLAttributes.InferMaps(inference, shape[^1]);
        inference.SetOutput(shape);
    }

    private sealed unsafe class Kernel(ConvAttributes convolution, QuantizedInput input, NestedWeight weight, GroupNLAttributes expansion)
        : CustomKernel
    {
        private ConvolutionShape? _shape;

        public override void Compute(in KernelContext context)
        {
            QuantizedActivations x = input.Bind(context);
            ExpansionData expanded = expansion.Bind(context, convolution.OutputChannels);
            ConvolutionShape shape = _shape = convolution.Shape(x.Shape, expanded.Maps, _shape);
            PanelSource source = weight.Bind(context);
            ChannelFactors factors = weight.Factors.Bind(context, source.Level);
            float* y = context.FloatOutput(shape.Output);
            ConvolutionData data = new(x.Data, x.ZeroPoint, x.Scale, factors, y);
            ExpansionEpilogue epilogue = new(weight.Tier, expanded, y);
            context.Tell(weight.Convolution.Run(shape.Geometry, source, data, context.Loop, epilogue)?.Note);
        }
    }
}
