using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.GroupNL;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// GroupNL's cheap maps (arXiv 2506.12335): the seed maps, normalised by their L2 norm at every pixel, and after them one map
/// f((n - shift) * period) for every source, f being the sine or another of <see cref="GroupNLFunctions"/>; then scale and bias per map (a
/// folded batch norm) and the activation. It stands for ONNX's ReduceL2, Clip, Div, Sub, Mul, Sin (or what makes f) and Concat,
/// BatchNormalization and Relu, Clip or HardSwish.
/// </summary>
/// <remarks>
/// Inputs: X float [N, Cs, spatial...] or, channels last, [N, spatial..., Cs]; shift float[G], period float[G], scale float[C] (optional),
/// bias float[C] (optional), where C = Cs + G. Output: float in X's layout with C maps. Attributes: source (ints[G], 0 to Cs - 1),
/// function (sine), power (3, of a monomial), epsilon (1e-12), channels_last (0), activation (none, clip or hardswish), activation_min and
/// activation_max (for clip).
/// </remarks>
internal sealed class GroupNLExpand : CustomOperator
{
    private const int ShiftInput = 1;

    /// <inheritdoc/>
    public override string Name => OperatorNames.GroupNLExpand;

    /// <inheritdoc/>
    public override IReadOnlyList<OperatorInput> Inputs { get; } = [new("X", ElementType.Float), .. GroupNLAttributes.Declaration];

    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        long channelsLast = info.Int(AttributeNames.ChannelsLast, 0);
        if (channelsLast is not (0 or 1))
            throw new OperatorException(FormattableString.Invariant($"attribute 'channels_last' is {channelsLast}: 0 or 1 expected"));
        return new Kernel(new GroupNLAttributes(info), channelsLast == 1);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(0) is not { Length: > 1 } shape)
            return;
        Index channels = inference.Int(AttributeNames.ChannelsLast, 0) == 1 ? ^1 : 1;
        shape[channels] = GroupNLAttributes.InferMaps(inference, shape[channels], ShiftInput);
        inference.SetFloatOutput(shape);
    }

    private sealed unsafe class Kernel(GroupNLAttributes attributes, bool isChannelsLast) : CustomKernel
    {
        private readonly KernelTier _tier = KernelTier.Current;

        public override void Compute(in KernelContext context)
        {
            TensorView x = context.Input(0, "X");
            float* seeds = x.Floats();
            if (x.Shape.Length < 2)
                throw new OperatorException($"X has the shape {WeightAttributes.Text(x.Shape)}, a batch of maps expected");
            long[] shape = x.Shape.ToArray();
            Index channels = isChannelsLast ? ^1 : 1;
            ExpansionData data = attributes.Bind(context, ShiftInput, shape[channels]);
            shape[channels] = data.Maps;
            float* y = context.FloatOutput(shape);
            long pixels = x.Count / data.Seeds;
            if (isChannelsLast)
                GroupNLExpansion.RunRows(_tier, data, seeds, y, pixels, context.Loop);
            else if (pixels != 0)
                GroupNLExpansion.RunPlanes(_tier, data, seeds, y, shape[0], pixels / shape[0], context.Loop);
        }
    }
}
