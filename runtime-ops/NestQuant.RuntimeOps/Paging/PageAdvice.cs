using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Paging;

/// <summary>The Linux call madvise.</summary>
internal static partial class PageAdvice
{
    private const int Normal = 0;
    private const int Random = 1;
    private const int DontNeed = 4;
    private const int PopulateRead = 22;

    /// <summary>
    /// Drops the whole pages of a range of a file mapping from this process; the next access reads them from the file again.
    /// </summary>
    public static void Release(nint address, long length) => Advise(address, length, DontNeed);

    /// <summary>
    /// Maps the whole pages of a range now, in one call; a kernel older than 5.14 refuses, and pages are then mapped on first access.
    /// </summary>
    public static void Prefetch(nint address, long length) => Advise(address, length, PopulateRead);

    /// <summary>Makes an access to a file mapping read one page, not megabytes around it, until <see cref="ReadAhead"/>.</summary>
    public static void ReadSinglePages(nint address, long length) => AdviseAround(address, length, Random);

    /// <summary>Makes an access to a file mapping read the pages around it too, the initial state of a mapping.</summary>
    public static void ReadAhead(nint address, long length) => AdviseAround(address, length, Normal);

    // Rounded inward: the first and last page may hold a neighbour's bytes.
    private static void Advise(nint address, long length, int advice) =>
        AdvisePages(RoundUp(address), RoundDown((nint)(address + length)), advice);

    // Rounded outward: partial pages are needed too, and this advice changes no content.
    private static void AdviseAround(nint address, long length, int advice) =>
        AdvisePages(RoundDown(address), RoundUp((nint)(address + length)), advice);

    private static void AdvisePages(nint start, nint end, int advice)
    {
        if (end > start)
            _ = MemoryAdvise(start, (nuint)(end - start), advice);
    }

    private static nint RoundDown(nint address) => address / Environment.SystemPageSize * Environment.SystemPageSize;

    private static nint RoundUp(nint address) => RoundDown(address + Environment.SystemPageSize - 1);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(nint address, nuint length, int advice);
}
