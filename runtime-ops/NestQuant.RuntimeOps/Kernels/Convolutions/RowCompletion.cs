namespace NestQuant.RuntimeOps.Kernels.Convolutions;

/// <summary>
/// Calls an epilogue for rows whose channels several parts compute: the last part to end calls it, when all channels are written (an
/// interlocked count orders the parts' writes before it) and the rows are still in its core's cache.
/// </summary>
internal sealed class RowCompletion
{
    private readonly RowEpilogue _epilogue;
    private readonly int[] _unfinished;

    /// <summary>Counts the parts.</summary>
    /// <param name="epilogue">The epilogue to call.</param>
    /// <param name="rowParts">Disjoint groups of rows.</param>
    /// <param name="partsPerRow">Parts that share one group, at least 1.</param>
    public RowCompletion(RowEpilogue epilogue, int rowParts, int partsPerRow)
    {
        _epilogue = epilogue;
        _unfinished = new int[rowParts];
        _unfinished.AsSpan().Fill(partsPerRow);
    }

    /// <summary>Reports that one of the parts has written its channels of the rows.</summary>
    public void PartDone(int rowPart, int firstRow, int rows)
    {
        if (Interlocked.Decrement(ref _unfinished[rowPart]) == 0)
            _epilogue.Apply(firstRow, rows);
    }
}
