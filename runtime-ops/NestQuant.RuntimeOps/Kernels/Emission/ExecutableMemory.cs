using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Kernels.Emission;

/// <summary>
/// Makes machine code callable: pages are first written, then made read-only and executable; they are never writable and executable at
/// once.
/// </summary>
internal static unsafe partial class ExecutableMemory
{
    private const int ProtectRead = 1;
    private const int ProtectWrite = 2;
    private const int ProtectExecute = 4;
    private const int MapPrivate = 0x02;
    private const int MapAnonymous = 0x20;

    /// <summary>Maps code for the rest of the process's life. Linux on x64 only.</summary>
    /// <param name="code">The code, which must be position-independent.</param>
    /// <param name="refusal">Why there is no mapping; null on success.</param>
    /// <returns>The first instruction, at the start of a page, or null.</returns>
    public static byte* TryMap(ReadOnlySpan<byte> code, out string? refusal)
    {
        refusal = null;
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            refusal = "code is emitted on Linux on x64 only";
            return null;
        }

        nuint length = (nuint)code.Length;
        nint pages = Map(0, length, ProtectRead | ProtectWrite, MapPrivate | MapAnonymous, -1, 0);
        if (pages == -1)
        {
            refusal = $"the system gives no memory for emitted code: {Marshal.GetLastPInvokeErrorMessage()}";
            return null;
        }

        // In bounds: the mapping holds at least code.Length bytes.
        code.CopyTo(new Span<byte>((void*)pages, code.Length));
        if (Protect(pages, length, ProtectRead | ProtectExecute) == 0)
            return (byte*)pages;

        // SELinux (execmem) and hardened kernels refuse here.
        refusal = $"the system forbids executable memory: {Marshal.GetLastPInvokeErrorMessage()}";
        _ = Unmap(pages, length);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
