using System.Globalization;

namespace NestQuant.Compiler.Onnx;

/// <summary>
/// Connects the external tensors of a model with mappings of the files that they name. The model is not trusted: a file outside
/// the model's folder is refused, be it named by an absolute path, by <c>..</c> or through a symbolic link.
/// </summary>
/// <param name="folder">The model's folder.</param>
/// <param name="stem">The model file's name without its extension, from which group files take theirs; null when unknown.</param>
internal sealed class ExternalDataReader(string folder, string? stem)
{
    private const int MaxLinks = 40;

    private readonly Dictionary<string, ReadOnlyMapping> _mappings = new(StringComparer.Ordinal);

    /// <summary>A reader of the files beside a model.</summary>
    public static ExternalDataReader Beside(string modelPath) => new(ModelLoader.FolderOf(modelPath), ModelFile.Stem(modelPath));

    /// <summary>Path of a file of which something is attached, or null.</summary>
    public string? PathOf(string location) => _mappings.ContainsKey(location) ? Path.Combine(folder, location) : null;

    public void Attach(ModelProto model)
    {
        foreach (var tensor in TensorWalk.Tensors(model).Where(t => t.IsExternal))
            Attach(tensor);
    }

    public void Attach(TensorProto tensor)
    {
        var location = tensor.ExternalLocation;
        if (string.IsNullOrEmpty(location))
            throw new ModelException($"Tensor '{tensor.Name}' is external but names no file.");

        var mapping = Map(location, tensor);
        var offset = Number(tensor, "offset") ?? 0;
        var length = Number(tensor, "length") ?? tensor.ByteCount;
        if (offset > mapping.Length || length > mapping.Length - offset)
        {
            throw new ModelException(
                $"External data file '{location}' is too short: tensor '{tensor.Name}' needs {length} bytes at offset {offset}, the file has {mapping.Length}.");
        }

        tensor.ExternalContent = new MappedRegion(mapping, offset, length);
        tensor.ExternalGroup = GroupOf(location);
    }

    private static string? Entry(TensorProto tensor, string key) => tensor.ExternalData.Find(e => e.Key == key)?.Value;

    private static long? Number(TensorProto tensor, string key)
    {
        if (Entry(tensor, key) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new ModelException($"Tensor '{tensor.Name}' has the external data {key} '{text}', which is not a number.");
    }

    /// <summary>
    /// <c>high</c> for <c>X.high.bin</c> beside <c>X.onnx</c>, and also beside <c>X.part.onnx</c>, which shares the file.
    /// </summary>
    private string? GroupOf(string location)
    {
        for (var prefix = stem; !string.IsNullOrEmpty(prefix); prefix = prefix[..Math.Max(prefix.LastIndexOf('.'), 0)])
        {
            if (location.Length > prefix.Length + 5
                && location.StartsWith(prefix + ".", StringComparison.Ordinal)
                && location.EndsWith(".bin", StringComparison.Ordinal))
            {
                var group = location[(prefix.Length + 1)..^4];
                return group.AsSpan().ContainsAny('.', '/', '\\') ? null : group;
            }
        }

        return null;
    }

    private ReadOnlyMapping Map(string location, TensorProto tensor)
    {
        if (_mappings.TryGetValue(location, out var mapping))
            return mapping;
        if (Path.IsPathRooted(location) || location[0] is '/' or '\\' || location.Split('/', '\\').Contains("..", StringComparer.Ordinal))
            throw Outside(location, tensor);

        try
        {
            var path = Path.Combine(folder, location);
            var realFolder = RealPath(folder).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar;
            if (!RealPath(path).StartsWith(realFolder, StringComparison.Ordinal))
                throw Outside(location, tensor);
            using var file = ModelLoader.OpenShared(path);
            mapping = ReadOnlyMapping.Open(file);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException(
                $"External data file '{location}' of tensor '{tensor.Name}' is missing; it must lie beside the model, in '{folder}'.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new ModelException($"External data file '{location}' of tensor '{tensor.Name}' cannot be read: {e.Message}", e);
        }

        _mappings.Add(location, mapping);
        return mapping;
    }

    private static ModelException Outside(string location, TensorProto tensor) =>
        new($"External data file '{location}' of tensor '{tensor.Name}' lies outside the model's folder, which is not allowed; move it beside the model.");

    /// <summary>The path with the symbolic links of every component resolved.</summary>
    private static string RealPath(string path, int links = 0)
    {
        if (links > MaxLinks)
            throw new IOException("too many symbolic links");
        var full = Path.GetFullPath(path);
        var parent = Path.GetDirectoryName(full);
        if (parent is null)
            return full;
        var here = Path.Combine(RealPath(parent, links), Path.GetFileName(full));
        var target = new FileInfo(here).ResolveLinkTarget(returnFinalTarget: true);

        // A link's target may itself run through links.
        return target is null ? here : RealPath(target.FullName, links + 1);
    }
}
