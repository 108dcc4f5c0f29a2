using NestQuant.TestSupport;

namespace NestQuant.Architecture.Tests;

/// <summary>The files that people write, without what a build leaves.</summary>
internal static class SourceFiles
{
    private static readonly HashSet<string> Built = ["bin", "obj", "TestResults", "artifacts", "__snapshots__"];

    public static IEnumerable<string> Of(string pattern) => In(new DirectoryInfo(Checkout.Root), pattern);

    private static IEnumerable<string> In(DirectoryInfo folder, string pattern) =>
        folder.EnumerateFiles(pattern).Select(file => file.FullName).Concat(
            folder.EnumerateDirectories()
                .Where(inner => !Built.Contains(inner.Name) && !inner.Name.StartsWith('.'))
                .SelectMany(inner => In(inner, pattern)));
}
