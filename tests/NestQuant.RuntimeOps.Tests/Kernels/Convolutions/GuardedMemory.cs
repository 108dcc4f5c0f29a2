using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Tests.Kernels.Convolutions;

/// <summary>
/// A copy of some bytes that ends exactly where memory ends that may be touched: what reads or writes beyond ends the process. Only on
/// Linux; ordinary memory elsewhere.
/// </summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int Nothing = 0, ReadWrite = 1 | 2;
    private const int PrivateAnonymous = 0x02 | 0x20;

    private readonly byte* _pages;
    private readonly nuint _length;

    public GuardedMemory(ReadOnlySpan<byte> content)
    {
        Length = content.Length;
        if (!OperatingSystem.IsLinux())
        {
            _pages = Address = (byte*)NativeMemory.Alloc((nuint)Length);
        }
        else
        {
            nuint page = (nuint)Environment.SystemPageSize, used = ((nuint)Length + page - 1) / page * page;
            _length = used + 2 * page;
            _pages = Map(null, _length, Nothing, PrivateAnonymous, -1, 0);
            Assert.NotEqual(-1, (nint)_pages);
            if (used > 0)
                Assert.Equal(0, Protect(_pages + page, used, ReadWrite));
            Address = _pages + page + used - Length;
        }

        content.CopyTo(Bytes);
    }

    public byte* Address { get; }

    public int Length { get; }

    public Span<byte> Bytes => new(Address, Length);

    public static GuardedMemory Of<T>(ReadOnlySpan<T> values)
        where T : unmanaged => new(MemoryMarshal.AsBytes(values));

    public void Dispose()
    {
        if (OperatingSystem.IsLinux())
            Assert.Equal(0, Unmap(_pages, _length));
        else
            NativeMemory.Free(_pages);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial byte* Map(byte* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(byte* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(byte* address, nuint length);
}
