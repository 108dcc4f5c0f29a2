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
    /// Drops pages of a file mapping from this process; the next access reads them from the file again.
    /// </summary>
    public static void Release(PageRange pages) => Advise(pages, DontNeed);

    /// <summary>
    /// Maps pages now, in one call; a kernel older than 5.14 refuses, and pages are then mapped on first access.
    /// </summary>
    public static void Prefetch(PageRange pages) => Advise(pages, PopulateRead);

    /// <summary>Makes an access to a file mapping read one page, not megabytes around it, until <see cref="ReadAhead"/>.</summary>
    public static void ReadSinglePages(nint address, long length) => AdviseAround(address, length, Random);

    /// <summary>Makes an access to a file mapping read the pages around it too, the initial state of a mapping.</summary>
    public static void ReadAhead(nint address, long length) => AdviseAround(address, length, Normal);

    // Rounded outward: partial pages are needed too, and this advice changes no content.
    private static void AdviseAround(nint address, long length, int advice) =>
        Advise(new PageRange(RoundDown(address), RoundUp((nint)(address + length))), advice);

    private static void Advise(PageRange pages, int advice)
    {
        if (pages.End > pages.Start)
            _ = MemoryAdvise(pages.Start, (nuint)(pages.End - pages.Start), advice);
    }

    private static nint RoundDown(nint address) => address / Environment.SystemPageSize * Environment.SystemPageSize;

    private static nint RoundUp(nint address) => RoundDown(address + Environment.SystemPageSize - 1);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(nint address, nuint length, int advice);
}
