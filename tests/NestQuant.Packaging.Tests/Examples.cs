using NestQuant.TestSupport;

namespace NestQuant.Packaging.Tests;

/// <summary>The examples of hosts.</summary>
internal static class Examples
{
    /// <summary>Name of their folder.</summary>
    public const string Folder = "examples";

    /// <summary>One folder for each, from the checkout's root.</summary>
    public static IEnumerable<string> Folders =>
        Directory.EnumerateDirectories(Path.Combine(Checkout.Root, Folder)).Select(path => Path.Combine(Folder, Path.GetFileName(path)));

    /// <summary>Copies their sources: what a build in the checkout has left there is not wanted, nor are the checkout's settings.</summary>
    public static void CopyTo(string folder)
    {
        foreach (string source in Folders.Append(Folder))
        {
            string target = Directory.CreateDirectory(Path.Combine(folder, source)).FullName;
            foreach (string file in Directory.EnumerateFiles(Path.Combine(Checkout.Root, source)))
                File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }
    }
}
