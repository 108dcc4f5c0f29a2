using NestQuant.Compiler.Pipeline;
using NestQuant.Compiler.Reports;
using NestQuant.Onnx;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Cleanup;
using NestQuant.Passes.Folding;
using NestQuant.Passes.GroupNL;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.Guard;
using NestQuant.Passes.HalfPrecision;
using NestQuant.Passes.Inlining;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Integer.TransposedConvolutions;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.OperatorSets;

namespace NestQuant.Passes;

/// <summary>The compiler as one call: a pipeline over a model, with provenance.</summary>
public static class NestQuantCompiler
{
    /// <summary>Compiles a model with the standard pipeline.</summary>
    /// <param name="source">The model, which stays as it is.</param>
    /// <param name="options">What to do.</param>
    /// <param name="cancellation">Ends the work early.</param>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="ModelException">The model cannot be compiled as asked; the message says what, where and what to do.</exception>
    public static CompileResult Compile(ModelProto source, CompilerOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return CompileInPlace(source.Clone(), options, cancellation);
    }

    /// <summary>Compiles a model with a pipeline of the caller's, such as an edited <see cref="CreatePipeline"/>.</summary>
    /// <param name="source">The model, which stays as it is.</param>
    /// <param name="pipeline">The passes.</param>
    /// <param name="options">The options that the pipeline was made with, for the provenance, and how to use the machine.</param>
    /// <param name="cancellation">Ends the work early.</param>
    /// <exception cref="ArgumentException">Options contradict each other, or the pipeline's order cannot work.</exception>
    /// <exception cref="ModelException">The model cannot be compiled as asked; the message says what, where and what to do.</exception>
    public static CompileResult Compile(
        ModelProto source, PassPipeline pipeline, CompilerOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        return Run(source.Clone(), pipeline, options ?? new CompilerOptions(), cancellation);
    }

    /// <summary>Compiles a model that is not needed any more, so that what a pass replaces need not be kept in memory.</summary>
    /// <param name="model">The model; it is rewritten, and unusable if the compilation fails.</param>
    /// <param name="options">What to do.</param>
    /// <param name="cancellation">Ends the work early.</param>
    /// <returns>A result that holds the same model.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <exception cref="ModelException">The model cannot be compiled as asked; the message says what, where and what to do.</exception>
    public static CompileResult CompileInPlace(ModelProto model, CompilerOptions options, CancellationToken cancellation = default) =>
        Run(model, CreatePipeline(options), options, cancellation);

    /// <summary>The passes that <see cref="Compile(ModelProto, CompilerOptions, CancellationToken)"/> runs, to be edited.</summary>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public static PassPipeline CreatePipeline(CompilerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Verify();
        // before all: what follows looks for constants, and adds some
        PassPipeline pipeline = new PassPipeline().Use(new InitializerInputsPass(options.KeepOverridable, options.ConstantInputs));
        bool emits = options.Weights.Nests || options.GroupNL.Expansion is not null;
        if (options.Weights.Nests)
            pipeline.Use(new FunctionInliningPass()) // first: the others look at the main graph
                .Use(new SparseWeightsPass())
                .Use(new Float32ComputePass()); // before upgrades, which need to know the types of values
        // before what looks at nodes: what the others emit depends on the operator set
        if (emits || options.OperatorSet is not null) pipeline.Use(new OperatorSetUpgradePass(options.OperatorSet));
        pipeline
            .Use(new DeadCodePass()) // a reader that nothing needs must not stand in the way of a rewrite
            .Use(new ConstantNodesPass()) // before the others, which look for initializers
            .Use(new IdentityRemovalPass()) // before folding: an Identity hides a constant
            .Use(new ConstantFoldingPass());
        GroupNLOptions groupNL = options.GroupNL;
        // A model that is to be trained keeps its blocks in standard operators, and its batch normalisation.
        bool forTraining = groupNL.Expansion is { Form: GroupNLForm.Standard };
        // before what follows a convolution is folded into it
        if (groupNL.Expansion is { } expansion) pipeline.Use(new GroupNLExpandPass(expansion, groupNL.Calibration));
        // after folding: shifts and periods are computed
        if (groupNL.Mode == GroupNLMode.Fuse && !forTraining) pipeline.Use(new GroupNLFusePass());
        if (!forTraining) pipeline.Use(new BatchNormFoldingPass()); // after constants are folded, before weights are no longer float
        pipeline.Use(new DeadCodePass()); // what folding left over
        if (!options.Weights.Nests) return pipeline;
        UseNesting(pipeline, options.Weights, options.Activations);
        return pipeline.Use(new HalfStoragePass()); // last: the others look for constants
    }

    private static void UseNesting(PassPipeline pipeline, WeightOptions weights, ActivationOptions activations)
    {
        pipeline.Use(new PReluFusionPass()); // before activations are quantized, which every step of it would cost accuracy
        pipeline.Use(new TiedTablesPass()); // after folding, which would give the product a table of its own again
        pipeline.Use(new CompleteAxesPass()); // before transposes are put around convolutions, which ONNX Runtime moves
        bool isStatic = activations.Mode == ActivationMode.Static;
        ActivationQuantizationPass? quantization = isStatic ? new ActivationQuantizationPass(weights, activations.Ranges!) : null;
        // before the passes that quantize activations, which read what it found
        if (activations is { Guard: { } guard, Mode: not ActivationMode.WeightOnly })
            pipeline.Use(new ActivationGuardPass(guard, weights, quantization));
        if (quantization is not null)
            pipeline.Use(quantization) // before nesting, which takes the pairs up
                .Use(new TransposedConvolutionPass(weights)); // before nesting, which has no integer form of a ConvTranspose
        pipeline.Use(new NestingPass(weights, activations.Mode));
        pipeline.Use(new BiasFusionPass()) // a product has a bias only once it is nested
            .Use(new AddendFusionPass()) // what follows a bias
            .Use(new BoundFusionPass()); // and an addition
        if (activations.Mode == ActivationMode.WeightOnly) return;
        if (isStatic)
        {
            pipeline.Use(new EpilogueFusionPass()) // first: it takes up the Relu or Clip in front of a QuantizeLinear
                .Use(new IntegerOperatorPass())
                .Use(new ChannelsLastPass()) // what runs on integers runs on either order of axes
                .Use(new FloatBoundaryPass()); // what is float now stays float
        }

        pipeline.Use(new TransposeBoundaryPass()); // last: transposes are where they are to be
    }

    private static CompileResult Run(ModelProto model, PassPipeline pipeline, CompilerOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        options.Verify();
        PassOrder.Verify(pipeline);
        ModelValidation.Verify(model);
        var context = new ModelContext(model)
        {
            Threads = options.Threads ?? Environment.ProcessorCount,
            Progress = options.Progress,
            Logger = options.Logger,
            VerifyEachPass = options.VerifyEachPass,
            Cancellation = cancellation,
        };
        PassResult result = pipeline.Run(context);
        // Compiling a compiled model again changes nothing, its provenance included.
        if (result.Changed || !Provenance.IsIn(model)) Provenance.Write(model, pipeline, options, context.Decisions);
        return new CompileResult(model, context.Decisions) { Check = options.Check, Times = context.Find<TimeEstimate>() };
    }
}
