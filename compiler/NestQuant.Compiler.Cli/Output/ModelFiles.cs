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
}
