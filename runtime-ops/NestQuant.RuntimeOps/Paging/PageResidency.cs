using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace NestQuant.RuntimeOps.Paging;

/// <summary>
/// Which pages are in this process's memory, from /proc/self/pagemap on Linux. (The call mincore tells instead what is in the system's page
/// cache, which counts pages that the process has given back.)
/// </summary>
internal sealed class PageResidency : IDisposable
{
    private const string Path = "/proc/self/pagemap";
    private const int EntryBytes = sizeof(ulong);
    private const ulong Present = 1UL << 63;

    private readonly SafeFileHandle? _pagemap = Open();

    /// <summary>Bytes of a range that are resident; null where the system does not say.</summary>
    /// <param name="address">Its first byte.</param>
    /// <param name="length">Its bytes.</param>
    public long? ResidentBytes(nint address, long length)
    {
        if (_pagemap is null)
            return null;
        long page = Environment.SystemPageSize;
        long first = address / page;
        byte[] entries = new byte[(((address + length + page - 1) / page) - first) * EntryBytes];
        try
        {
            if (RandomAccess.Read(_pagemap, entries, first * EntryBytes) != entries.Length)
                return null;
        }
        catch (IOException)
        {
            return null;
        }

        long resident = 0;
        for (int i = 0; i < entries.Length / EntryBytes; i++)
        {
            if ((BinaryPrimitives.ReadUInt64LittleEndian(entries.AsSpan(i * EntryBytes)) & Present) == 0)
                continue;
            long start = (first + i) * page;
            resident += Math.Min(start + page, address + length) - Math.Max(start, address);
        }

        return resident;
    }

    /// <inheritdoc/>
    public void Dispose() => _pagemap?.Dispose();

    private static SafeFileHandle? Open()
    {
        try
        {
            return OperatingSystem.IsLinux() ? File.OpenHandle(Path) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
