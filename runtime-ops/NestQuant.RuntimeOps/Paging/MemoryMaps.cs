using System.Globalization;

namespace NestQuant.RuntimeOps.Paging;

/// <summary>The memory mappings of this process, from /proc/self/maps on Linux.</summary>
internal static class MemoryMaps
{
    private const string Path = "/proc/self/maps";

    /// <summary>The pages of a range that can be released, which are those that hold nothing else, in mappings of files on disk.</summary>
    /// <returns>An empty range also when that cannot be determined: then all of it must be left alone.</returns>
    public static PageRange OwnPages(nint address, long length)
    {
        try
        {
            return OwnPages(File.ReadLines(Path), (ulong)address, (ulong)length, (ulong)Environment.SystemPageSize);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>
    /// The same from lines of a maps file, in ascending order. The first and the last page hold nothing else where a mapping starts and
    /// ends with them: ONNX Runtime maps every tensor by itself, from the page that it starts in to the page that it ends in.
    /// </summary>
    /// <param name="lines">Lines <c>start-end permissions offset device inode path</c>.</param>
    /// <param name="address">First byte of the range.</param>
    /// <param name="length">Bytes of the range.</param>
    /// <param name="pageSize">Bytes of a page.</param>
    public static PageRange OwnPages(IEnumerable<string> lines, ulong address, ulong length, ulong pageSize)
    {
        ulong next = address, limit = address + length, first = 0;
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] bounds = fields.Length < 5 ? [] : fields[0].Split('-');
            if (bounds.Length != 2
                || !ulong.TryParse(bounds[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong start)
                || !ulong.TryParse(bounds[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong end)
                || !ulong.TryParse(fields[4], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode))
            {
                return default;
            }

            if (end <= next)
                continue;
            if (start > next || inode == 0)
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
