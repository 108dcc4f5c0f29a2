namespace NestQuant.RuntimeOps.Interop;

/// <summary>Where an application's native libraries are.</summary>
internal static class NativeLibraryLocation
{
    // What the .NET host sets from the application's dependencies: packages' folders in a build, the application's own once published.
    private const string SearchDirectories = "NATIVE_DLL_SEARCH_DIRECTORIES";

    /// <summary>The path of the native operator library; null where there is none.</summary>
    public static string? Find()
    {
        string[] folders =
            (AppContext.GetData(SearchDirectories) as string ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return folders.Append(AppContext.BaseDirectory).Select(folder => Path.Combine(folder, FileName)).FirstOrDefault(File.Exists);
    }

    private static string FileName =>
        OperatingSystem.IsWindows() ? "libnestquant_ops.dll" : OperatingSystem.IsMacOS() ? "libnestquant_ops.dylib" : "libnestquant_ops.so";
}
