using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NestQuant.Onnx;

/// <summary>Identifies a file whatever its name: device and inode on Linux, elsewhere the path with all symbolic links resolved.</summary>
internal readonly record struct FileIdentity(ulong Device, ulong Inode, string? RealPath);

/// <summary>Kinds of files, as far as loading distinguishes them.</summary>
internal enum FileKind
{
    /// <summary>A file whose content stays where it is.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A pipe, a device or a socket: opening it may wait forever, reading it may never end.</summary>
    Other,
}

/// <summary>The status of the file that a path leads to, through symbolic links.</summary>
/// <param name="Identity">Distinguishes it from every other file.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Modified">When its content was last changed; only to be compared.</param>
/// <param name="Links">Number of names that it has; 1 where that is not known.</param>
internal readonly record struct FileStatus(FileIdentity Identity, FileKind Kind, long Length, (long, long) Modified, long Links)
{
    // struct statx is the same on all architectures, which struct stat is not.
    private const int StatxBytes = 256, LinksAt = 16, ModeAt = 28, InodeAt = 32, LengthAt = 40, ModifiedAt = 112, DeviceAt = 136;
    private const int CurrentFolder = -100, EmptyPath = 0x1000, NotImplemented = 38;
    private const uint BasicStats = 0x7ff;
    private const int KindMask = 0xf000, RegularKind = 0x8000, FolderKind = 0x4000;

    /// <summary>The status of what a path names.</summary>
    /// <returns>Null when there is no such file, or it may not be accessed: opening it tells which.</returns>
    public static FileStatus? Of(string path)
    {
        if (path.Length == 0)
            return null;
        return OperatingSystem.IsLinux() ? OfLinux(CurrentFolder, Path.GetFullPath(path), path) : OfName(path);
    }

    /// <summary>The status of an open file, even if its name has been removed or replaced.</summary>
    /// <exception cref="FileNotFoundException">The status can only be read by name here, and the name no longer exists.</exception>
    public static FileStatus Of(SafeFileHandle handle, string path)
    {
        var isHeld = false;
        try
        {
            handle.DangerousAddRef(ref isHeld);
            var status = OperatingSystem.IsLinux() ? OfLinux((int)handle.DangerousGetHandle(), "", path) : OfName(path);
            return status ?? throw new FileNotFoundException("it has been removed", path);
        }
        finally
        {
            if (isHeld)
                handle.DangerousRelease();
        }
    }

    /// <summary>Fails, before opening it, for anything but a regular file or a folder.</summary>
    /// <exception cref="IOException">It is a pipe or a device.</exception>
    public static void RequireRegular(string path)
    {
        if (Of(path) is { Kind: FileKind.Other })
            throw new IOException("it is not a regular file");
    }

    private static FileStatus? OfLinux(int folder, string name, string path)
    {
        var buffer = new byte[StatxBytes];
        try
        {
            if (StatX(folder, Encoding.UTF8.GetBytes(name + '\0'), EmptyPath, BasicStats, buffer) < 0)
                return Marshal.GetLastPInvokeError() == NotImplemented ? OfName(path) : null;
        }
        catch (EntryPointNotFoundException)
        {
            return OfName(path);
        }

        return new FileStatus(
            new FileIdentity(Value<ulong>(buffer, DeviceAt), Value<ulong>(buffer, InodeAt), null),
            (Value<ushort>(buffer, ModeAt) & KindMask) switch
            {
                RegularKind => FileKind.Regular,
                FolderKind => FileKind.Folder,
                _ => FileKind.Other,
            },
            Value<long>(buffer, LengthAt),
            (Value<long>(buffer, ModifiedAt), Value<uint>(buffer, ModifiedAt + sizeof(long))),
            Value<uint>(buffer, LinksAt));
    }

    private static FileStatus? OfName(string path)
    {
        var real = RealPath.Of(path);
        var identity = new FileIdentity(0, 0, real);
        if (Directory.Exists(real))
            return new FileStatus(identity, FileKind.Folder, 0, default, Links: 1);
        var file = new FileInfo(real);
        if (!file.Exists)
            return null;
        var kind = file.Attributes.HasFlag(FileAttributes.Device) ? FileKind.Other : FileKind.Regular;
        return new FileStatus(identity, kind, file.Length, (file.LastWriteTimeUtc.Ticks, 0), Links: 1);
    }

    private static T Value<T>(byte[] buffer, int at)
        where T : struct => MemoryMarshal.Read<T>(buffer.AsSpan(at));

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int StatX(int folder, byte[] path, int flags, uint mask, [Out] byte[] status);
}
