using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Paging;

/// <summary>The Linux call madvise, on the whole pages inside a range.</summary>
internal static partial class PageAdvice
{
    private const int DontNeed = 4;
    private const int PopulateRead = 22;

    /// <summary>Drops the pages of a file mapping from this process; the next touch reads them from the file again.</summary>
    public static void Release(nint address, long length) => Advise(address, length, DontNeed);

    /// <summary>Maps the pages now, in one call; a kernel older than 5.14 refuses, and then they come one by one.</summary>
    public static void Prefetch(nint address, long length) => Advise(address, length, PopulateRead);

    private static void Advise(nint address, long length, int advice)
    {
        // Inward: the first and last page may hold a neighbour's bytes.
        nint page = Environment.SystemPageSize;
        nint begin = (address + page - 1) / page * page;
        nint end = (nint)(address + length) / page * page;
        if (end > begin)
            _ = MemoryAdvise(begin, (nuint)(end - begin), advice);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(nint address, nuint length, int advice);
}
