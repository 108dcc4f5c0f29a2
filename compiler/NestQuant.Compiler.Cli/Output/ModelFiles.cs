using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Compiler.Cli.Output;

/// <summary>The files that a model consists of.</summary>
internal static class ModelFiles
{
    /// <summary>Path of the model itself, then those of its data files in ordinal order.</summary>
    public static IReadOnlyList<string> Of(string path, ModelProto model)
    {
        string folder = Path.GetDirectoryName(path) ?? "";
        IEnumerable<string> data = GraphView.Of(model.MainGraph()).WithInner()
            .SelectMany(view => view.Graph.Initializer)
            .Where(tensor => tensor.IsExternal)
            .Select(tensor => tensor.ExternalData.Find(entry => entry.Key == "location")?.Value ?? "")
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .Select(location => Path.Combine(folder, location));
        return [path, .. data];
    }

    /// <summary>The file that a path stands for, behind symbolic links of its folder and of itself.</summary>
    public static string Resolve(string path)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? full;
        string realFolder = Directory.Exists(folder) ? new DirectoryInfo(folder).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? folder : folder;
        string candidate = Path.Combine(realFolder, Path.GetFileName(full));
        return File.Exists(candidate) ? new FileInfo(candidate).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? candidate : candidate;
    }
}
