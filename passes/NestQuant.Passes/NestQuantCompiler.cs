using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Folding;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes;

/// <summary>The compiler as one call: the default pipeline over a model, with provenance.</summary>
public static class NestQuantCompiler
{
    /// <summary>Compiles a model.</summary>
    /// <param name="source">The model; it is rewritten in place and returned in the result.</param>
    /// <param name="options">What to do.</param>
    /// <param name="threads">Most threads to use; null for one per processor. The result does not depend on it.</param>
    /// <param name="progress">Told how far the long passes have come.</param>
    /// <param name="cancellation">Ends the work early; the model is then unusable.</param>
    /// <exception cref="ModelException">The model or an option cannot be used; the message says what, where and what to do.</exception>
    public static CompileResult Compile(
        ModelProto source, CompileOptions options, int? threads = null, IProgress<PassProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        ModelValidation.Verify(source);
        var context = new ModelContext(source) { Threads = threads ?? Environment.ProcessorCount, Progress = progress, Cancellation = cancellation };
        PassResult result = CreatePipeline(options).Run(context);
        // Compiling a compiled model again changes nothing, its provenance included.
        if (result.Changed || Provenance.ReadDecisions(source) is null) Provenance.Write(source, options, context.Decisions);
        return new CompileResult(source, context.Decisions);
    }

    /// <summary>The passes that <see cref="Compile"/> runs, for integrators who add their own.</summary>
    public static PassPipeline CreatePipeline(CompileOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        PassPipeline pipeline = new PassPipeline()
            .Use(new InitializerInputsPass()) // before all: what follows looks for constants
            .Use(new DeadCodePass()) // a reader that nothing needs must not stand in the way of a rewrite
            .Use(new ConstantNodesPass()) // before the others, which look for initializers
            .Use(new IdentityRemovalPass()) // before folding: an Identity hides a constant
            .Use(new ConstantFoldingPass());
        // A model that is to be trained keeps its blocks in standard operators, and its batch normalisation.
        bool forTraining = options.Expand is { Form: GroupNLForm.Standard };
        // before what follows a convolution is folded into it
        if (options.Expand is { } expand) pipeline.Use(new GroupNLExpandPass(expand, options.ExpandCalibration));
        // after folding: shifts and periods are computed
        if (options.GroupNL == GroupNLMode.Fuse && !forTraining) pipeline.Use(new GroupNLFusePass());
        if (!forTraining) pipeline.Use(new BatchNormFoldingPass()); // after constants are folded, before weights are no longer float
        pipeline.Use(new DeadCodePass()); // what folding left behind
        if (options.Nest is { } bits)
        {
            pipeline.Use(new CompleteAxesPass()); // before transposes are put around convolutions, which ONNX Runtime moves
            bool isStatic = options.Activations == ActivationMode.Static;
            // before nesting, which takes the pairs up
            if (isStatic) pipeline.Use(new ActivationQuantizationPass(QuantizationOptions(options)));
            pipeline.Use(new NestingPass(new NestingOptions
            {
                Bits = bits,
                Rounding = options.Rounding,
                Scheme = options.Weights,
                Activations = options.Activations,
                Exclude = options.Exclude,
            }));
            // a product has a bias only once it is nested
            if (options.Activations != ActivationMode.None) pipeline.Use(new BiasFusionPass());
            if (isStatic)
            {
                pipeline.Use(new EpilogueFusionPass()) // first: it takes up the Relu or Clip in front of a QuantizeLinear
                    .Use(new IntegerOperatorPass())
                    .Use(new ChannelsLastPass()) // what runs on integers runs on either order of axes
                    .Use(new FloatBoundaryPass()); // what is float now stays float
            }

            // last: transposes are where they are to be
            if (options.Activations != ActivationMode.None) pipeline.Use(new TransposeBoundaryPass());
        }
        else if (options.Exclude.Count > 0)
        {
            throw new ModelException("--exclude names nodes that are not to be nested, but nothing is nested without --nest");
        }

        return pipeline;
    }

    private static ActivationQuantizationOptions QuantizationOptions(CompileOptions options) => new()
    {
        Ranges = options.Ranges
            ?? throw new ModelException(
                "static activations need ranges: say where they come from (CompileOptions.Ranges), or quantize at run time "
                    + "(ActivationMode.Dynamic)"),
        Exclude = options.Exclude,
    };
}
