namespace NestQuant.Onnx;

/// <summary>Paths without symbolic links.</summary>
internal static class RealPath
{
    private const int MaxLinks = 40;

    /// <summary>The path with the symbolic links of every component resolved; components that do not exist stay as they are.</summary>
    /// <exception cref="IOException">The links form a cycle.</exception>
    public static string Of(string path) => Of(path, links: 0);

    private static string Of(string path, int links)
    {
        if (links > MaxLinks)
            throw new IOException("too many symbolic links");
        var full = Path.GetFullPath(path);
        var parent = Path.GetDirectoryName(full);
        if (parent is null)
            return full;
        var here = Path.Combine(Of(parent, links), Path.GetFileName(full));
        var link = new FileInfo(here);

        // A link's target may itself run through links.
        return link.LinkTarget is null ? here : Of(link.ResolveLinkTarget(returnFinalTarget: false)!.FullName, links + 1);
    }
}
