namespace NestQuant.Data;

/// <summary>Some consecutive samples of a data set.</summary>
/// <param name="Inputs">Arrays whose first axis counts the samples.</param>
/// <param name="Labels">One label per sample, or null when the data set has none.</param>
/// <param name="Expected">Reference outputs for these inputs, in the order of the model's outputs; null when unknown.</param>
public sealed record DatasetBatch(IReadOnlyList<NamedArray> Inputs, IReadOnlyList<long>? Labels, IReadOnlyList<NamedArray>? Expected = null)
{
    /// <summary>Number of samples.</summary>
    public int Samples => Inputs[0].Array.Shape.Count == 0 ? 1 : (int)Inputs[0].Array.Shape[0];
}

/// <summary>An array for one input or output of a model.</summary>
/// <param name="Name">The input's name; null when the data does not name it; unnamed arrays are matched to inputs by position.</param>
/// <param name="Array">The values.</param>
public readonly record struct NamedArray(string? Name, NpyArray Array);
