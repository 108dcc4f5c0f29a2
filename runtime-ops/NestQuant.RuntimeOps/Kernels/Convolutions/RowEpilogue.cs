namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>A step after a convolution on whole output rows (positions), as soon as all channels of a part's rows are complete.</summary>
internal abstract class RowEpilogue
{
    /// <summary>Floats from one output row to the next, at least the convolution's channels, which it writes at the start of the
    /// row.</summary>
    public abstract long RowStride { get; }

    /// <summary>Works on finished rows, once for each row of the output, on any thread.</summary>
    /// <param name="firstRow">First output position, counted over the batch.</param>
    /// <param name="rows">How many.</param>
    public abstract void Apply(int firstRow, int rows);
}
