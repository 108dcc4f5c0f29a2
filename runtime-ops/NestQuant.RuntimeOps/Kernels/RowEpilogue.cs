namespace NestQuant.RuntimeOps.Kernels;

/// <summary>What follows a convolution on whole output rows (positions), as soon as all channels of a part's rows are there.</summary>
internal abstract class RowEpilogue
{
    /// <summary>Floats from one output row to the next, at least the convolution's channels, which it writes at the row's begin.</summary>
    public abstract long RowStride { get; }

    /// <summary>Works on finished rows, once for each row of the output, on any thread.</summary>
    /// <param name="firstRow">First output position, counted over the batch.</param>
    /// <param name="rows">How many.</param>
    public abstract void Apply(int firstRow, int rows);
}
