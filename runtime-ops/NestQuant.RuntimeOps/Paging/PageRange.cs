namespace NestQuant.RuntimeOps.Paging;

/// <summary>Whole pages of this process's memory.</summary>
/// <param name="Start">Address of the first page.</param>
/// <param name="End">Address after the last page; not above <paramref name="Start"/> where there are none.</param>
internal readonly record struct PageRange(nint Start, nint End)
{
    /// <summary>Bytes of the pages.</summary>
    public long Bytes => Math.Max(End - Start, 0);
}
