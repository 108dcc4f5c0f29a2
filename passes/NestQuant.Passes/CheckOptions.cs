namespace NestQuant.Passes;

/// <summary>How a result is tried before it is saved.</summary>
public sealed record CheckOptions
{
    /// <summary>Whether ONNX Runtime has to load the result before its files appear.</summary>
    public bool LoadResult { get; init; } = true;

    /// <summary>Paths of libraries with operators that the model uses, as ONNX Runtime loads them.</summary>
    public IReadOnlyList<string> CustomOps { get; init; } = [];
}
