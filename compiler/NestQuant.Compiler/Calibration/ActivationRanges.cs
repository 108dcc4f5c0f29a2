namespace NestQuant.Compiler.Calibration;

/// <summary>Calibrated ranges of a model's activations, by the names of the values.</summary>
public sealed class ActivationRanges
{
    private readonly IReadOnlyDictionary<string, TensorRange> _ranges;

    /// <summary>Wraps ranges.</summary>
    /// <param name="ranges">Ranges by value name.</param>
    public ActivationRanges(IReadOnlyDictionary<string, TensorRange> ranges)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        _ranges = ranges;
    }

    /// <summary>The range of a value, or null when none is known.</summary>
    public TensorRange? Of(string value) => _ranges.TryGetValue(value, out TensorRange range) ? range : null;
}
