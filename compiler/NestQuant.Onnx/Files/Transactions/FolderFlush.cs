using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NestQuant.Onnx.Files.Transactions;

/// <summary>Makes renames survive a loss of power. .NET cannot open folders, so this is done on Linux only.</summary>
internal static class FolderFlush
{
    /// <summary>Writes a folder's entries to disk, where that is possible: the files themselves are complete without it.</summary>
    public static void Flush(string folder)
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var handle = Open(Encoding.UTF8.GetBytes(folder + '\0'), flags: 0);
        try
        {
            if (!handle.IsInvalid)
                RandomAccess.FlushToDisk(handle);
        }
        catch (IOException)
        {
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern SafeFileHandle Open(byte[] path, int flags);
}
