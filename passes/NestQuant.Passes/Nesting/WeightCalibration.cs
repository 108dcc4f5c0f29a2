using NestQuant.Data;

namespace NestQuant.Passes.Nesting;

/// <summary>Data that weights are rounded for (<see cref="WeightRounding.Calibrated"/>); it needs no labels.</summary>
public sealed record WeightCalibration
{
    /// <summary>Most samples that are used unless <see cref="Samples"/> says otherwise.</summary>
    public const int DefaultSamples = 256;

    private readonly int _samples = DefaultSamples;

    /// <summary>Uses a data set.</summary>
    /// <param name="data">Inputs of the model, finite.</param>
    public WeightCalibration(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Data = data;
    }

    /// <summary>Inputs of the model.</summary>
    public Dataset Data { get; }

    /// <summary>Most samples to use, evenly spaced over the data; at least 1.</summary>
    /// <exception cref="ArgumentException">The value is below 1.</exception>
    public int Samples
    {
        get => _samples;
        init => _samples = value > 0 ? value : throw new ArgumentException($"Samples is {value}: at least 1 is needed", nameof(value));
    }

    /// <summary>Paths of libraries with operators that the model uses, beside those of ONNX Runtime and of this project.</summary>
    public IReadOnlyList<string> CustomOps { get; init; } = [];

    /// <summary>What it is, for people and for the provenance.</summary>
    public override string ToString() => $"{Math.Min(Samples, Data.Count)} samples";
}
