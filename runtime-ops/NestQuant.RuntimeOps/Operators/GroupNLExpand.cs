using NestQuant.RuntimeOps.Interop;
using NestQuant.RuntimeOps.Kernels;
using NestQuant.RuntimeOps.Kernels.GroupNL;
using NestQuant.RuntimeOps.Kernels.GroupNL.Functions;
using NestQuant.RuntimeOps.Kernels.Tiers;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>
/// GroupNL's cheap maps (arXiv 2506.12335): the seed maps, normalised by their L2 norm at every pixel, and after them one map
/// f((n - shift) * period) for every source, f being the sine or another of <see cref="GroupNLFunctions"/>; then scale and bias per map (a
/// folded batch norm) and the activation. It stands for ONNX's ReduceL2, Clip, Div, Sub, Mul, Sin (or what makes f) and Concat,
/// BatchNormalization and Relu, Clip or HardSwish.
/// </summary>
internal sealed class GroupNLExpand() : CustomOperator(OperatorSet.GroupNLExpand)
{
    /// <inheritdoc/>
    public override CustomKernel CreateKernel(in KernelInfo info)
    {
        long channelsLast = info.Int(OperatorAttributes.ChannelsLast);
        if (channelsLast is not (0 or 1))
            throw new OperatorException(FormattableString.Invariant($"attribute 'channels_last' is {channelsLast}: 0 or 1 expected"));
        return new Kernel(Schema[InputNames.X], new GroupNLAttributes(info), channelsLast == 1);
    }

    /// <inheritdoc/>
    public override void InferShape(in ShapeInference inference)
    {
        if (inference.InputShape(InputNames.X) is not { Length: > 1 } shape)
            return;
        Index channels = inference.Int(OperatorAttributes.ChannelsLast) == 1 ? ^1 : 1;
        shape[channels] = GroupNLAttributes.InferMaps(inference, shape[channels]);
        inference.SetOutput(shape);
    }

    private sealed unsafe class Kernel(InputSchema input, GroupNLAttributes attributes, bool isChannelsLast) : CustomKernel
    {
        private readonly KernelTier _tier = TierSelection.Current;

        public override void Compute(in KernelContext context)
        {
            TensorView x = context.Input(input);
            float* seeds = x.Floats();
            if (x.Shape.Length < 2)
                throw new OperatorException($"X has the shape {TensorView.Text(x.Shape)}, a batch of maps expected");
            long[] shape = x.Shape.ToArray();
            Index channels = isChannelsLast ? ^1 : 1;
            ExpansionData data = attributes.Bind(context, shape[channels]);
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
