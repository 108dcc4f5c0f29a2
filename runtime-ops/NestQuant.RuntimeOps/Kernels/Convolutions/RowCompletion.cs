namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>
/// Calls an epilogue for rows whose channels several parts compute: the last part to end calls it, when all channels are written (an
/// interlocked count orders the parts' writes before it) and the rows are still in its core's cache.
/// </summary>
/// <param name="rowParts">Disjoint groups of rows.</param>
/// <param name="partsPerRow">Parts that share one group, at least 1.</param>
internal sealed class RowCompletion(int rowParts, int partsPerRow)
{
    private readonly int[] _unfinished = new int[rowParts];

    /// <summary>Starts a run.</summary>
    public void Start() => _unfinished.AsSpan().Fill(partsPerRow);

    /// <summary>Reports that one of the parts has written its channels of the rows.</summary>
    public void PartDone(int rowPart, int firstRow, int rows, RowEpilogue epilogue)
    {
        if (Interlocked.Decrement(ref _unfinished[rowPart]) == 0)
            epilogue.Apply(firstRow, rows);
    }
}
