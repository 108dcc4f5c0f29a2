using NestQuant.RuntimeOps.Kernels.Convolutions;

namespace NestQuant.RuntimeOps.Operators;

/// <summary>The dimensions of a run, kept for the next one, whose input most often has the same shape.</summary>
/// <param name="Geometry">The convolution.</param>
/// <param name="Input">The shape of X.</param>
/// <param name="Output">The shape of the output.</param>
internal sealed record ConvolutionShape(ConvolutionGeometry Geometry, long[] Input, long[] Output)
{
    /// <summary>Whether X has this shape.</summary>
    public bool Matches(ReadOnlySpan<long> x) => x.SequenceEqual(Input);
}
