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
    ];

    [Theory]
    [InlineData(0x2000, 0x1000, true)]
    [InlineData(0x2010, 0x20, true)]
    [InlineData(0x2000, 0x3000, true)]
    [InlineData(0x2000, 0x3001, false)]
    [InlineData(0x1800, 0x1000, false)]
    [InlineData(0x1000, 0x10, false)]
    [InlineData(0x5000, 0x10, false)]
    [InlineData(0x6000, 0x1000, true)]
    [InlineData(0x6000, 0x1001, false)]
    [InlineData(0x7000, 0x10, false)]
    [InlineData(0x9000, 0x10, false)]
    public void Only_a_range_wholly_in_file_mappings_counts(ulong address, ulong length, bool expected) =>
        Assert.Equal(expected, MemoryMaps.Covers(Lines, address, length));

    [Theory]
    [InlineData("nonsense")]
    [InlineData("zz-yy rw-p 0 fe:01 77 /x")]
    [InlineData("")]
    public void Lines_that_cannot_be_read_count_as_no(string line) =>
        Assert.False(MemoryMaps.Covers([line, .. Lines], 0x2000, 0x1000));

    [SkippableFact]
    public void Managed_memory_is_not_file_backed()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "reads /proc/self/maps");
        byte[] bytes = GC.AllocateUninitializedArray<byte>(1 << 20, pinned: true);
        Assert.False(
            MemoryMaps.IsFileBacked(System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(bytes, 0), bytes.Length));
    }
}
