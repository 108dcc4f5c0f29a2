using NestQuant.Data;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>How the consumers of an expanded layer are refitted, so that the expansion needs no training.</summary>
public sealed record GroupNLCalibration
{
    /// <summary>Default of <see cref="Budget"/>.</summary>
    public const double DefaultBudget = 0.1;

    /// <summary>Default of <see cref="Ridge"/>.</summary>
    public const double DefaultRidge = 1e-3;

    private readonly double _budget = DefaultBudget;
    private readonly double _ridge = DefaultRidge;

    /// <summary>Uses a data set.</summary>
    /// <param name="data">Inputs of the model, finite; they are read several times, batch by batch.</param>
    public GroupNLCalibration(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        Data = data;
    }

    /// <summary>Inputs of the model.</summary>
    public Dataset Data { get; }

    /// <summary>
    /// Largest relative error, above 0, of a refitted layer: the Frobenius norm of the difference between its outputs and those of the
    /// original model, over the norm of the latter, on <see cref="Data"/>. An expansion that leads to a larger one is undone.
    /// </summary>
    public double Budget
    {
        get => _budget;
        init =>
            _budget = double.IsFinite(value) && value > 0
                ? value
                : throw new ArgumentOutOfRangeException(nameof(value), value, "a positive number is needed");
    }

    /// <summary>
    /// Strength of the regularisation, at least 0, relative to the mean square of the layer's inputs. The bias is not regularised.
    /// </summary>
    public double Ridge
    {
        get => _ridge;
        init =>
            _ridge = double.IsFinite(value) && value >= 0
                ? value
                : throw new ArgumentOutOfRangeException(nameof(value), value, "a number of at least 0 is needed");
    }

    /// <summary>Paths of libraries with operators that the model uses, beside those of ONNX Runtime and of this project.</summary>
    public IReadOnlyList<string> CustomOps { get; init; } = [];
}
