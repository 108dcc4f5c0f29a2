using NestQuant.Data;

namespace NestQuant.Evaluation.Benchmarking;

/// <summary>The inputs of measured runs as files, for other processes.</summary>
internal sealed class StoredInputs : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nestquant-inputs-");

    /// <summary>Writes the arrays.</summary>
    public StoredInputs(IReadOnlyList<NamedArray> inputs)
    {
        Paths = [.. inputs.Select((_, i) => Path.Combine(_folder.FullName, FormattableString.Invariant($"{i}.npy")))];
        for (int i = 0; i < inputs.Count; i++) inputs[i].Array.Write(Paths[i]);
    }

    /// <summary>A file for every input, in order.</summary>
    public IReadOnlyList<string> Paths { get; }

    /// <inheritdoc/>
    public void Dispose() => _folder.Delete(recursive: true);
}
