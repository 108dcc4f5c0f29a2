using NestQuant.RuntimeOps.Kernels.Convolutions;
using NestQuant.RuntimeOps.Kernels.Execution;
using NestQuant.RuntimeOps.Kernels.Floats;
using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.WeightOnly;

/// <summary>A convolution or product of floats prepared for one shape. It is used for run after run, by one at a time.</summary>
/// <param name="tier">The inner loops.</param>
/// <param name="geometry">The dimensions; there is at least one output.</param>
/// <param name="bounds">Bounds of the results.</param>
internal abstract unsafe class FloatPlan(KernelTier tier, ConvolutionGeometry geometry, ClipBounds bounds)
    : IReusablePlan<ConvolutionGeometry>
{
    private PanelSource _weights;
    private ChannelFactors _factors;

    /// <summary>The name of the implementation.</summary>
    public abstract string Name { get; }

    /// <summary>The inner loops.</summary>
    protected KernelTier Tier { get; } = tier;

    /// <summary>The dimensions.</summary>
    protected ConvolutionGeometry Geometry { get; } = geometry;

    /// <summary>Bounds of the results.</summary>
    protected ClipBounds Bounds { get; } = bounds;

    /// <summary>Bounds of the results before <see cref="Addend"/> is added: none where there is one.</summary>
    protected ClipBounds ProductBounds => Addend == null ? Bounds : ClipBounds.None;

    /// <summary>The weight of the current run.</summary>
    protected ref readonly PanelSource Weights => ref _weights;

    /// <summary>The factors of its channels.</summary>
    protected ref readonly ChannelFactors Factors => ref _factors;

    /// <summary>The input of the current run.</summary>
    protected float* X { get; private set; }

    /// <summary>What is added to the output of the current run, in its layout; null for nothing.</summary>
    protected float* Addend { get; private set; }

    /// <summary>Receives the output of the current run.</summary>
    protected float* Y { get; private set; }

    /// <inheritdoc/>
    public bool Serves(in ConvolutionGeometry run) => Geometry.HasSameDimensions(run);

    /// <summary>Computes the whole output of one run.</summary>
    /// <param name="weights">The nested weight, of the layout that the plan was made for.</param>
    /// <param name="factors">The factors of its channels.</param>
    /// <param name="x">The input.</param>
    /// <param name="addend">What is added to the output, in its layout; null for nothing.</param>
    /// <param name="y">Receives the output.</param>
    /// <param name="loop">Runs the parts.</param>
    public void Run(in PanelSource weights, in ChannelFactors factors, float* x, float* addend, float* y, ParallelLoop loop)
    {
        (_weights, _factors) = (weights, factors);
        X = x;
        Addend = addend;
        Y = y;
        Run(loop);
    }

    /// <summary>Adds to results that have just been stored with <see cref="ProductBounds"/>; nothing where nothing is added.</summary>
    /// <param name="y">Neighbouring results.</param>
    /// <param name="count">Their number.</param>
    protected void Complete(float* y, int count)
    {
        if (Addend != null)
            Tier.Floats.Add(Addend + (y - Y), Bounds, y, count);
    }

    /// <summary>Computes the whole output of the current run.</summary>
    protected abstract void Run(ParallelLoop loop);
}
