using NestQuant.TestSupport;

namespace NestQuant.Passes.Tests;

/// <summary>
/// Larger assets that lie beside a checkout, in <c>../shared/assets</c>, where they exist; the tests that need them skip otherwise.
/// </summary>
internal static class SharedAssets
{
    /// <summary>Full path of an asset, or null when it is not there.</summary>
    public static string? Find(string relativePath)
    {
        string path = Path.GetFullPath(Path.Combine(Checkout.Root, "..", "shared", "assets", relativePath));
        return Path.Exists(path) ? path : null;
    }
}
