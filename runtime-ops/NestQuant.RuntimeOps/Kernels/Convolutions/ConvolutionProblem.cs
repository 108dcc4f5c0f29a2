using NestQuant.RuntimeOps.Kernels.Tiers;

namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>
/// What a plan is made for: a node's weights at one level and a shape of its input, with what else decides between implementations. Runs
/// of equal problems differ only in the tensors' values.
/// </summary>
/// <param name="tier">The inner loops.</param>
/// <param name="geometry">Dimensions; the reduction length and the output channels are those of the weights.</param>
/// <param name="weights">The nested weights.</param>
/// <param name="data">The tensors of the first run.</param>
/// <param name="rowStride">Values from one output row to the next where an epilogue wants rows longer than the channels; else 0.</param>
/// <param name="threads">Threads of the session, 1 or more.</param>
internal readonly struct ConvolutionProblem(
    KernelTier tier, ConvolutionGeometry geometry, in PanelSource weights, in ConvolutionData data, long rowStride, int threads)
{
    /// <summary>The inner loops.</summary>
    public KernelTier Tier { get; } = tier;

    /// <summary>The dimensions.</summary>
    public ConvolutionGeometry Geometry { get; } = geometry;

    /// <summary>The nested weights.</summary>
    public PanelSource Weights { get; } = weights;

    /// <summary>Threads of the session.</summary>
    public int Threads { get; } = threads;

    /// <summary>The largest magnitude of a weight zero point.</summary>
    public long LargestZeroPoint { get; } = data.LargestZeroPoint;

    /// <summary>Whether the activations have a zero point other than 0, so that sums of weights are needed.</summary>
    public bool HasActivationZeroPoint { get; } = data.XZeroPoint != 0;

    /// <summary>Whether results are known to fit in 32 bits before they are clamped.</summary>
    public bool AreResultsOfInt32 { get; } = data.AreResultsOfInt32(geometry.ReductionLength);

    /// <summary>Whether an epilogue finishes whole rows of the output.</summary>
    public bool HasRowEpilogue { get; } = rowStride != 0;

    /// <summary>Bytes from one output row to the next.</summary>
    public long OutputStride { get; } = (rowStride != 0 ? rowStride : geometry.OutputChannels) * data.OutputBytes;

    /// <summary>Whether a plan for the one serves the other.</summary>
    public bool IsLike(in ConvolutionProblem other) =>
        Tier == other.Tier
        && Geometry.HasSameDimensions(other.Geometry)
        && Weights.HasSameOperands(other.Weights)
        && Threads == other.Threads
        && LargestZeroPoint == other.LargestZeroPoint
        && HasActivationZeroPoint == other.HasActivationZeroPoint
        && AreResultsOfInt32 == other.AreResultsOfInt32
        && HasRowEpilogue == other.HasRowEpilogue
        && OutputStride == other.OutputStride;
}
