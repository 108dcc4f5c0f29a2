using System.Globalization;
using NestQuant.Data;

namespace NestQuant.Passes.Guard;

/// <summary>
/// Keeps activations float where quantizing them costs too much of a model's accuracy on data, which needs no labels
/// (docs/ranges.md#the-guard-for-accuracy).
/// </summary>
public sealed record ActivationGuard
{
    /// <summary>What quantized activations may cost unless <see cref="Decibels"/> says otherwise.</summary>
    public const double DefaultDecibels = 4;

    private readonly double _decibels = DefaultDecibels;

    /// <summary>Uses a data set.</summary>
    /// <param name="data">Inputs of the model, finite; a few evenly spaced samples are used.</param>
    public ActivationGuard(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Data = data;
    }

    /// <summary>Inputs of the model.</summary>
    public Dataset Data { get; }

    /// <summary>
    /// How much lower the signal to noise ratio of every output may be with quantized activations than with float ones, in dB.
    /// </summary>
    /// <exception cref="ArgumentException">The value is negative or not finite.</exception>
    public double Decibels
    {
        get => _decibels;
        init => _decibels = double.IsFinite(value) && value >= 0
            ? value
            : throw new ArgumentException($"Decibels is {value}: a finite number of at least 0 is needed", nameof(value));
    }

    /// <summary>Paths of libraries with operators that the model uses, beside those of ONNX Runtime and of this project.</summary>
    public IReadOnlyList<string> CustomOps { get; init; } = [];

    /// <summary>What it is, for people and for the provenance.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Decibels} dB");
}
