using System.Globalization;
using System.Runtime.InteropServices;
using NestQuant.RuntimeOps.Kernels.Emission;

namespace NestQuant.RuntimeOps.Tests.Kernels.Emission;

public unsafe class ExecutableMemoryTests
{
    private static bool IsLinuxOnX64 => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    [SkippableFact]
    public void Emitted_code_runs()
    {
        Skip.IfNot(IsLinuxOnX64, "code is emitted on Linux on x64 only");
        Assembler code = new();
        code.LoadAddress(Register.Rax, new MemoryOperand(Register.Rdi, 5) { Index = Register.Rsi, Scale = 4 });
        code.Return();
        var function = (delegate* unmanaged[Cdecl]<long, long, long>)ExecutableMemory.TryMap(code.ToCode(), out string? refusal);
        Assert.Null(refusal);
        Assert.Equal(1000 + 4 * 20 + 5, function(1000, 20));
    }

    [SkippableFact]
    public void Executable_memory_is_not_writable()
    {
        Skip.IfNot(IsLinuxOnX64, "code is emitted on Linux on x64 only");
        ulong address = (ulong)ExecutableMemory.TryMap(new byte[] { 0xC3 }, out _);
        string permissions = File.ReadLines("/proc/self/maps")
            .Select(line => line.Split(' '))
            .Single(fields => Covers(fields[0], address))[1];
        Assert.Equal("r-xp", permissions);
    }

    [SkippableFact]
    public void The_system_refuses_more_than_there_is()
    {
        Skip.IfNot(IsLinuxOnX64, "code is emitted on Linux on x64 only");

        // No byte of the span is read: mmap refuses its length, rounded up to pages, first.
        Assert.True(ExecutableMemory.TryMap([], out string? refusal) == null);
        Assert.StartsWith("the system gives no memory for emitted code: ", refusal, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void The_extended_control_register_agrees_with_the_runtime()
    {
        Skip.IfNot(IsLinuxOnX64 && ProcessorFeatures.Read().HasExtendedControl, "the processor has no XGETBV");
        var read = (delegate* unmanaged[Cdecl]<ulong>)ExecutableMemory.TryMap(ProcessorFeatures.EmitReadExtendedControl(), out _);
        ulong control = read();
        Assert.Equal(1u, control & 1);
        Assert.Equal(System.Runtime.Intrinsics.X86.Avx.IsSupported, (control & 0b110) == 0b110);
        Assert.True(ProcessorFeatures.SavesAvx512(control) || !System.Runtime.Intrinsics.X86.Avx512F.IsSupported);
    }

    private static bool Covers(string range, ulong address)
    {
        string[] bounds = range.Split('-');
        return ulong.Parse(bounds[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture) <= address
            && address < ulong.Parse(bounds[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
