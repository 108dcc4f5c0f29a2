using System.Globalization;

namespace NestQuant.Onnx.Files;

/// <summary>
/// Connects the external tensors of a model with the files that they name. The model is not trusted: a file outside the model's folder is
/// refused, whether named by an absolute path, by <c>..</c> or through a symbolic link. As in ONNX's own checker, a file that is itself a
/// symbolic link or has several hard links is refused too, unless links are allowed.
/// </summary>
/// <param name="folder">The model's folder.</param>
/// <param name="path">The model file, from which the names of group files are derived; null when unknown.</param>
/// <param name="options">How to load.</param>
internal sealed class ExternalDataReader(string folder, string? path, LoadOptions options)
{
    private const string Location = "location", Offset = "offset", Length = "length";

    // ONNX Runtime adds entries of its own to what it saves, several of one key.
    private const string PrepackedPrefix = "prepacked";

    private static readonly string[] KnownKeys = [Location, Offset, Length, "checksum", "basepath"];

    private readonly string? _stem = path is null ? null : ModelFile.Stem(path);
    private readonly Dictionary<string, SourceFile> _files = new(StringComparer.Ordinal);

    /// <summary>A reader of the files beside a model.</summary>
    public static ExternalDataReader Beside(string modelPath, LoadOptions? options) =>
        new(Path.GetDirectoryName(Path.GetFullPath(modelPath)) ?? Path.GetFullPath(modelPath), modelPath, options ?? LoadOptions.Default);

    /// <summary>The file at a location where one of its tensors could be attached, or null.</summary>
    public SourceFile? FileAt(string location) => _files.GetValueOrDefault(location);

    public void Attach(ModelProto model)
    {
        foreach (var tensor in TensorWalk.Tensors(model).Where(t => t.IsExternal))
            Attach(tensor);
    }

    public void Attach(TensorProto tensor)
    {
        CheckKeys(tensor);
        var location = tensor.ExternalLocation;
        if (string.IsNullOrEmpty(location))
            throw new ModelException($"Tensor '{tensor.Name}' is external but names no file.");

        var file = Open(location, tensor);
        var offset = Number(tensor, Offset) ?? 0;
        var length = Number(tensor, Length) ?? tensor.ByteCount;
        if (offset > file.Status.Length || length > file.Status.Length - offset)
        {
            throw new ModelException(
                $"External data file '{location}' is too short: "
                    + $"tensor '{tensor.Name}' needs {length} bytes at offset {offset}, "
                + $"the file has {file.Status.Length}.");
        }

        tensor.ExternalContent = new FileRegion(file, offset, length);
        tensor.ExternalGroup = GroupOf(location);
    }

    // Of two values, some readers take the first and some the last, so that one program would check another file than the next one reads.
    private static void CheckKeys(TensorProto tensor)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (
            var key in tensor.ExternalData.Select(e => e.Key ?? "").Where(k => !k.StartsWith(PrepackedPrefix, StringComparison.Ordinal)))
        {
            if (!KnownKeys.Contains(key, StringComparer.Ordinal))
                throw new ModelException(
                    $"Tensor '{tensor.Name}' has the unknown external data key '{key}'; known are {string.Join(", ", KnownKeys)}.");
            if (!seen.Add(key))
                throw new ModelException(
                    $"Tensor '{tensor.Name}' has the external data key '{key}' twice; which one counts is not defined.");
        }
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
    /// <c>high</c> for <c>X.high.bin</c> beside <c>X.onnx</c>, and also beside <c>X.part.onnx</c>, which shares the file; a group is one
    /// word, or one and a number: <c>low.6</c> for <c>X.low.6.bin</c>.
    /// </summary>
    private string? GroupOf(string location)
    {
        for (var prefix = _stem; !string.IsNullOrEmpty(prefix); prefix = prefix[..Math.Max(prefix.LastIndexOf('.'), 0)])
        {
            if (location.Length > prefix.Length + 5
                && location.StartsWith(prefix + ".", StringComparison.Ordinal)
                && location.EndsWith(".bin", StringComparison.Ordinal))
            {
                var group = location[(prefix.Length + 1)..^4];
                var words = group.Split('.');
                var isGroup = words.Length == 1 || (words.Length == 2 && words[1].Length > 0 && words[1].All(char.IsAsciiDigit));
                return isGroup && !group.AsSpan().ContainsAny('/', '\\') ? group : null;
            }
        }

        return null;
    }

    private SourceFile Open(string location, TensorProto tensor)
    {
        if (_files.TryGetValue(location, out var file))
            return file;
        if (Path.IsPathRooted(location) || location[0] is '/' or '\\' || location.Split('/', '\\').Contains("..", StringComparer.Ordinal))
            throw Outside(location, tensor);

        try
        {
            var dataPath = Path.Combine(folder, location);
            if (!IsInside(dataPath))
                throw Outside(location, tensor);
            if (!options.AllowLinks && new FileInfo(dataPath).LinkTarget is not null)
                throw Linked(location, tensor, "is a symbolic link");
            file = SourceFile.Open(dataPath, path);
            if (!options.AllowLinks && file.Status.Links > 1)
                throw Linked(location, tensor, $"has {file.Status.Links} hard links");
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

        _files.Add(location, file);
        return file;
    }

    // Caches of models keep a model and its data as links to files elsewhere: with links allowed, data may lie beside the model's target.
    private bool IsInside(string dataPath)
    {
        var real = RealPath.Of(dataPath);
        return IsIn(RealPath.Of(folder)) || (options.AllowLinks && path is not null && IsIn(Path.GetDirectoryName(RealPath.Of(path))!));

        bool IsIn(string parent) =>
            real.StartsWith(parent.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    private static ModelException Outside(string location, TensorProto tensor) =>
        new(
            $"External data file '{location}' of tensor '{tensor.Name}' lies outside the model's folder, which is not allowed; move "
                + "it beside the model.");

    private static ModelException Linked(string location, TensorProto tensor, string how) =>
        new($"External data file '{location}' of tensor '{tensor.Name}' {how}, through which a model can read files that are not its own; "
            + "copy the file, or allow links if the model is trusted.");
}
