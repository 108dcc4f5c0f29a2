using System.Runtime.InteropServices;

namespace NestQuant.RuntimeOps.Kernels.Tiers.Amx;

/// <summary>
/// Linux gives a process the tile registers of AMX only on request, since their state makes every thread's signal frames larger.
/// </summary>
internal static partial class TilePermission
{
    // arch_prctl(2), on x64.
    private const nint ArchitectureControl = 158;
    private const nint RequestExtendedState = 0x1023;
    private const nint TileData = 18;

    /// <summary>Requests the tile registers for the rest of the process's life; further requests change nothing.</summary>
    /// <param name="refusal">Why they are refused; null on success.</param>
    public static bool Request(out string? refusal)
    {
        refusal = null;
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            refusal = "tile registers are used on Linux on x64 only";
            return false;
        }

        if (SystemCall(ArchitectureControl, RequestExtendedState, TileData) == 0)
            return true;
        refusal = $"the system refuses the tile registers: {Marshal.GetLastPInvokeErrorMessage()}";
        return false;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint code, nint feature);
}
