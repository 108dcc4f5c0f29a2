using NestQuant.Onnx.Files;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps;

namespace NestQuant.Security.Tests.Fuzzing.Corpora;

/// <summary>One good model in a folder of its own.</summary>
internal sealed class CorpusModel(string folder)
{
    /// <summary>Name of the model's file in every folder.</summary>
    public const string ModelName = "m.onnx";

    /// <summary>Name of the array that the model runs on, in every folder.</summary>
    public const string InputName = "x.npy";

    private readonly Lazy<bool> _isCompiled = new(() => ModelFile.Load(Path.Combine(folder, ModelName)).AllNodes()
        .Any(static node => node.Domain == NestQuantOps.Domain));

    private readonly Lazy<Dictionary<string, byte[]>> _files = new(() => Directory.GetFiles(folder)
        .Where(static path => Path.GetFileName(path) != InputName)
        .ToDictionary(static path => Path.GetFileName(path), File.ReadAllBytes, StringComparer.Ordinal));

    public string Name { get; } = Path.GetFileName(folder);

    public string ModelPath { get; } = Path.Combine(folder, ModelName);

    public string InputPath { get; } = Path.Combine(folder, InputName);

    /// <summary>Whether the model has operators of NestQuant.</summary>
    public bool IsCompiled => _isCompiled.Value;

    /// <summary>The model and its data files, by name in ordinal order: a new dictionary each time.</summary>
    public SortedDictionary<string, byte[]> Files() => new(_files.Value, StringComparer.Ordinal);
}
