using NestQuant.Compiler.Pipeline;
using NestQuant.Passes.Folding;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.HalfPrecision;
using NestQuant.Passes.Inlining;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Integer.TransposedConvolutions;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.OperatorSets;

namespace NestQuant.Passes;

/// <summary>The orders of passes that would silently do nothing: a pass that looks for what an earlier one has replaced already.</summary>
internal static class PassOrder
{
    private static readonly (Type First, Type Second, string Why)[] Required =
    [
        (typeof(OperatorSetUpgradePass), typeof(NestingPass), "what nesting emits depends on the operator set"),
        (typeof(FunctionInliningPass), typeof(NestingPass), "nesting leaves what is inside functions"),
        (typeof(Float32ComputePass), typeof(NestingPass), "only float32 weights are nested"),
        (typeof(Float32ComputePass), typeof(HalfStoragePass), "it says what can be stored in 16 bits"),
        (typeof(NestingPass), typeof(HalfStoragePass), "what is stored in 16 bits is no constant"),
        (typeof(GroupNLExpandPass), typeof(NestingPass), "a nested convolution cannot be expanded"),
        (typeof(PReluFusionPass), typeof(ActivationQuantizationPass), "every step of an activation would be quantized"),
        (typeof(ActivationQuantizationPass), typeof(NestingPass), "nesting takes up the activations that it quantizes"),
        (typeof(ActivationQuantizationPass), typeof(TransposedConvolutionPass), "it looks for quantized activations"),
        (typeof(TransposedConvolutionPass), typeof(NestingPass), "a nested weight cannot be rearranged"),
        (typeof(GroupNLExpandPass), typeof(BatchNormFoldingPass), "an expanded convolution needs its batch normalisation"),
        (typeof(NestingPass), typeof(BiasFusionPass), "it gives nested products their bias"),
        (typeof(NestingPass), typeof(AddendFusionPass), "it gives nested convolutions what is added to their results"),
        (typeof(AddendFusionPass), typeof(BoundFusionPass), "bounds apply to what has been added"),
        (typeof(NestingPass), typeof(BoundFusionPass), "it bounds the results of nested operators"),
        (typeof(NestingPass), typeof(EpilogueFusionPass), "it completes nested operators"),
        (typeof(NestingPass), typeof(TransposeBoundaryPass), "it moves the transposes around nested convolutions"),
    ];

    /// <summary>Fails where the order of a pipeline cannot work.</summary>
    /// <exception cref="ArgumentException">It cannot; the message names two passes and says why.</exception>
    public static void Verify(PassPipeline pipeline)
    {
        foreach ((Type first, Type second, string why) in Required)
        {
            int[] firsts = PositionsOf(first, pipeline), seconds = PositionsOf(second, pipeline);
            if (firsts.Length == 0 || seconds.Length == 0 || firsts[^1] < seconds[0]) continue;
            IGraphPass early = pipeline.Passes[seconds[0]], late = pipeline.Passes[firsts[^1]];
            throw new ArgumentException(
                $"the pipeline's order cannot work: {late.Name} has to come before {early.Name}, since {why}; its passes are "
                    + string.Join(", ", pipeline.Passes.Select(static pass => pass.Name)));
        }
    }

    private static int[] PositionsOf(Type type, PassPipeline pipeline) =>
        [.. Enumerable.Range(0, pipeline.Passes.Count).Where(i => pipeline.Passes[i].GetType() == type)];
}
