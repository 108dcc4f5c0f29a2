namespace NestQuant.Passes.Tests;

/// <summary>Larger assets that lie beside a checkout, in <c>../shared/assets</c>, where they exist; the tests that need them skip otherwise.</summary>
internal static class SharedAssets
{
    /// <summary>Full path of an asset, or null when it is not there.</summary>
    public static string? Find(string relativePath)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "NestQuant.Compiler.sln"))) continue;
            string path = Path.GetFullPath(Path.Combine(folder.FullName, "..", "shared", "assets", relativePath));
            return Path.Exists(path) ? path : null;
        }

        return null;
    }
}
