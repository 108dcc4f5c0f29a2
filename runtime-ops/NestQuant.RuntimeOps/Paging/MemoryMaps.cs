using System.Globalization;

namespace NestQuant.RuntimeOps.Paging;

/// <summary>The memory mappings of this process, from /proc/self/maps on Linux.</summary>
internal static class MemoryMaps
{
    private const string Path = "/proc/self/maps";

    /// <summary>Whether a range lies entirely in mappings of files on disk.</summary>
    /// <returns>False also when that cannot be determined: then the range must be left alone.</returns>
    public static bool IsFileBacked(nint address, long length)
    {
        try
        {
            return Covers(File.ReadLines(Path), (ulong)address, (ulong)length);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Whether lines of a maps file, in ascending order, cover a range with file mappings and no gap.</summary>
    /// <param name="lines">Lines <c>start-end permissions offset device inode path</c>.</param>
    /// <param name="address">First byte of the range.</param>
    /// <param name="length">Bytes of the range.</param>
    public static bool Covers(IEnumerable<string> lines, ulong address, ulong length)
    {
        ulong next = address;
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] bounds = fields.Length < 5 ? [] : fields[0].Split('-');
            if (bounds.Length != 2
                || !ulong.TryParse(bounds[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong start)
                || !ulong.TryParse(bounds[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong end)
                || !ulong.TryParse(fields[4], NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode))
            {
                return false;
            }

            if (end <= next)
                continue;
            if (start > next || inode == 0)
                return false;
            next = end;
            if (next - address >= length)
                return true;
        }

        return false;
    }
}
