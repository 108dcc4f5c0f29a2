using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.GroupNL;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// <see cref="NestedConv"/> followed by a channels-last <see cref="GroupNLExpand"/>, bit for bit, without a tensor between them: the
/// convolution writes the seed maps where they end up, and each row is expanded in place when its last seed map is there.
/// </summary>
/// <remarks>
/// Inputs: those of NestedConv but for bits, then shift, period, scale (optional) and bias (optional) of GroupNLExpand, then bits.
/// Output: float [N, H', W', M + G] or [N, W', M + G]. Attributes: those of both but for channels_last.
/// </remarks>
internal sealed class NestedGroupNLConv : CustomOperator
{
    private const int ShiftInput = QuantizedInput.BitsInput;

    /// <inheritdoc/>
    public override string Name => OperatorNames.NestedGroupNLConv;

    /// <inheritdoc/>
    public override IReadOnlyList<OperatorInput> Inputs { get; } =
    [
        .. QuantizedInput.Declaration.Take(ShiftInput),
        .. GroupNLAttributes.Declaration,
        QuantizedInput.Declaration[QuantizedInput.BitsInput],
    ];

    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        ConvAttributes convolution = ConvAttributes.Read(info, WeightAttributes.Shape(info));
        NestedWeight weight = new(info, convolution.View(), QuantizedInput.WeightInput, Inputs.Count - 1);
        GroupNLAttributes expansion = new(info);
        expansion.RequireSeeds(convolution.OutputChannels);
        return new Kernel(convolution, weight, expansion);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (ConvAttributes.InferOutputShape(inference) is not { } shape)
            return;
        shape[^1] = GroupNLAttributes.InferMaps(inference, shape[^1], ShiftInput);
        inference.SetFloatOutput(shape);
    }

    private sealed unsafe class Kernel(ConvAttributes convolution, NestedWeight weight, GroupNLAttributes expansion) : CustomKernel
    {
        public override void Compute(in KernelContext context)
        {
            QuantizedInput x = new(context);
            ConvolutionGeometry geometry = convolution.Geometry(x.Shape);
            PanelSource source = weight.Bind(context, out float* scale, out int* zeroPoint);
            float* bias = context.TryInput(QuantizedInput.BiasInput, "B", out TensorView b) ? b.Floats(convolution.OutputChannels) : null;
            ExpansionData data = expansion.Bind(context, ShiftInput, convolution.OutputChannels);
            float* y = context.FloatOutput(convolution.OutputShape(geometry, data.Maps));
            ConvolutionData tensors = new(x.Data, x.ZeroPoint, x.Scale, scale, zeroPoint, bias, y);
            ExpansionEpilogue epilogue = new(weight.Tier, data, y);
            NestedConvolution.Run(weight.Tier, geometry, source, tensors, context.Loop, epilogue);
        }
    }
}
