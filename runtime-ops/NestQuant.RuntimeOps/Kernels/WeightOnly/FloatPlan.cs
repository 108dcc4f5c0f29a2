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

    /// <summary>The weight of the current run.</summary>
    protected ref readonly PanelSource Weights => ref _weights;

    /// <summary>The factors of its channels.</summary>
    protected ref readonly ChannelFactors Factors => ref _factors;

    /// <summary>The input of the current run.</summary>
    protected float* X { get; private set; }

    /// <summary>Receives the output of the current run.</summary>
    protected float* Y { get; private set; }

    /// <inheritdoc/>
    public bool Serves(in ConvolutionGeometry run) => Geometry.HasSameDimensions(run);

    /// <summary>Computes the whole output of one run.</summary>
    /// <param name="weights">The nested weight, of the layout that the plan was made for.</param>
    /// <param name="factors">The factors of its channels.</param>
    /// <param name="x">The input.</param>
    /// <param name="y">Receives the output.</param>
    /// <param name="loop">Runs the parts.</param>
    public void Run(in PanelSource weights, in ChannelFactors factors, float* x, float* y, ParallelLoop loop)
    {
        (_weights, _factors) = (weights, factors);
        X = x;
        Y = y;
        Run(loop);
    }

    /// <summary>Computes the whole output of the current run.</summary>
    protected abstract void Run(ParallelLoop loop);
}
