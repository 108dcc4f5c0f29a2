using System.Text;
using NestQuant.RuntimeOps.Paging;

namespace NestQuant.RuntimeOps.Tests.Paging;

public class MemoryMapsTests
{
    private static readonly string[] Lines =
    [
        "00001000-00002000 rw-p 00000000 00:00 0",
        "00002000-00004000 rw-p 00000000 fe:01 77                         /models/a b.low.bin",
        "00004000-00005000 rw-p 00002000 fe:01 77                         /models/a b.low.bin",
        "00006000-00007000 r--p 00000000 fe:01 78                         /models/c.bin",
        "00007000-00008000 rw-p 00000000 00:00 0                          [heap]",
        "00008000-0000e000 rw-p 00000000 fe:01 79                         /models/whole.bin",
    ];

    [Theory]
    [InlineData(0x2000, 0x2000, 0x2000, 0x4000)]
    [InlineData(0x2010, 0x1fd0, 0x2000, 0x4000)]
    [InlineData(0x2000, 0x3000, 0x2000, 0x5000)]
    [InlineData(0x2fc0, 0x2040, 0x2000, 0x5000)]
    [InlineData(0x6f00, 0x40, 0x6000, 0x7000)]
    [InlineData(0x6000, 0x1000, 0x6000, 0x7000)]
    public void TheFirstAndTheLastPageOfAMappingBelongToTheRangeThatItIsFor(ulong address, ulong length, long start, long end) =>
        Assert.Equal(new PageRange((nint)start, (nint)end), OwnPages(Lines, address, length));

    [Theory]
    [InlineData(0x2010, 0x20, 0x2000, 0x2000)]
    [InlineData(0x8010, 0x3000, 0x8000, 0xb000)]
    [InlineData(0x9010, 0x2000, 0xa000, 0xb000)]
    [InlineData(0x9010, 0x20, 0xa000, 0x9000)]
    public void OtherPagesAreThoseWhollyInTheRange(ulong address, ulong length, long start, long end) =>
        Assert.Equal(new PageRange((nint)start, (nint)end), OwnPages(Lines, address, length));

    [Theory]
    [InlineData(0x2000, 0x3001)]
    [InlineData(0x1800, 0x1000)]
    [InlineData(0x1000, 0x10)]
    [InlineData(0x5000, 0x10)]
    [InlineData(0x6000, 0x1001)]
    [InlineData(0x7000, 0x10)]
    [InlineData(0xf000, 0x10)]
    public void ARangeThatIsNotWhollyInFileMappingsHasNone(ulong address, ulong length) =>
        Assert.Equal(default, OwnPages(Lines, address, length));

    [Theory]
    [InlineData("nonsense")]
    [InlineData("zz-yy rw-p 0 fe:01 77 /x")]
    [InlineData("")]
    public void NoPagesFollowFromLinesThatCannotBeRead(string line) =>
        Assert.Equal(default, OwnPages([line, .. Lines], 0x2000, 0x1000));

    [SkippableFact]
    public void Managed_memory_has_no_pages_of_a_file()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/maps");
        byte[] bytes = GC.AllocateUninitializedArray<byte>(1 << 20, pinned: true);
        nint address = System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0);
        Assert.Equal(default, MemoryMaps.OwnPages(address, bytes.Length));
    }

    [SkippableFact]
    public void No_garbage_is_made_for_a_mapping()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/maps");
        MemoryMaps.OwnPages(-1, 1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        // After all others, so that all of them are read.
        MemoryMaps.OwnPages(-1, 1);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2000);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(2000)]
    public void A_line_may_come_in_pieces(int mappings)
    {
        IEnumerable<string> others = Enumerable.Range(0, mappings).Select(i => $"{i * 16:x8}-{i * 16 + 16:x8} r--p 00000000 fe:01 7 /{i}");
        Assert.Equal(
            new PageRange(0x100000, 0x101000), OwnPages([.. others, "00100000-00101000 r--p 00000000 fe:01 7 /last"], 0x100000, 0x1000));
    }

    private static PageRange OwnPages(IEnumerable<string> lines, ulong address, ulong length)
    {
        using MemoryStream maps = new(Encoding.UTF8.GetBytes(string.Join('\n', lines) + '\n'));
        return MemoryMaps.OwnPages(maps, address, length, 0x1000);
    }
}
