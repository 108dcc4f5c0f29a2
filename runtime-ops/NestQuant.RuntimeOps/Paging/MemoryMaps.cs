namespace NestQuant.RuntimeOps.Paging;

/// <summary>The memory mappings of this process, from /proc/self/maps on Linux.</summary>
internal static class MemoryMaps
{
    private const string Path = "/proc/self/maps";

    // The longest path, 4 KiB, and what is before it; more where a path has characters that are written as four.
    private const int MostLineBytes = 8 << 10;

    /// <summary>The pages of a range that can be released, which are those that hold nothing else, in mappings of files on disk.</summary>
    /// <returns>An empty range also when that cannot be determined: then all of it must be left alone.</returns>
    public static PageRange OwnPages(nint address, long length)
    {
        try
        {
            using FileStream maps = new(Path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return OwnPages(maps, (ulong)address, (ulong)length, (ulong)Environment.SystemPageSize);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>
    /// The same from a maps file, in ascending order. The first and the last page hold nothing else where a mapping starts and
    /// ends with them: ONNX Runtime maps every tensor by itself, from the page that it starts in to the page that it ends in.
    /// </summary>
    /// <param name="maps">The file.</param>
    /// <param name="address">First byte of the range.</param>
    /// <param name="length">Bytes of the range.</param>
    /// <param name="pageSize">Bytes of a page.</param>
    public static PageRange OwnPages(Stream maps, ulong address, ulong length, ulong pageSize)
    {
        ulong next = address, limit = address + length, first = 0;
        MapsReader reader = new(maps, stackalloc byte[MostLineBytes]);
        while (reader.Next() is { } mapping)
        {
            (ulong start, ulong end, bool isOfFile) = mapping;
            if (end <= next)
                continue;
            if (start > next || !isOfFile)
                return default;
            if (next == address)
                first = address - start < pageSize ? start : (address + pageSize - 1) / pageSize * pageSize;
            next = end;
            if (next >= limit)
                return new PageRange((nint)first, (nint)(end - limit < pageSize ? end : limit / pageSize * pageSize));
        }

        return default;
    }
}
