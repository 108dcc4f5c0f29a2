using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Evaluation;

/// <summary>Accumulates how well one output agrees with that of a reference.</summary>
internal sealed class OutputComparison(string name)
{
    private double _signal;
    private double _own;
    private double _product;
    private double _noise;
    private double _largest;
    private string? _maskedBy;
    private bool _hasPositions;

    /// <summary>What has been found.</summary>
    /// <exception cref="ModelException">The mask leaves nothing.</exception>
    public OutputResult Result => _maskedBy is null || _hasPositions
        ? new(name, SqnrDb, Cosine, _largest) { MaskedBy = _maskedBy }
        : throw new ModelException($"mask '{_maskedBy}' is 0 everywhere, so nothing of output '{name}' counts");

    private double SqnrDb => _noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(_signal / _noise);

    // Two vectors of zeros are the same; one has no direction that could be another's.
    private double Cosine => _noise == 0 ? 1 : _signal == 0 || _own == 0 ? 0 : _product / Math.Sqrt(_signal * _own);

    /// <summary>Adds the values of a batch.</summary>
    /// <param name="actual">The values.</param>
    /// <param name="reference">What to compare with.</param>
    /// <param name="mask">Which positions count; null for all.</param>
    /// <exception cref="ModelException">The two have different shapes, or a value is not a number.</exception>
    public void Add(NpyArray actual, NpyArray reference, PositionMask? mask)
    {
        // Extents of one are no difference: exporters write scores as [N, C] and as [N, C, 1, 1].
        if (!actual.Shape.Where(static extent => extent != 1).SequenceEqual(reference.Shape.Where(static extent => extent != 1)))
            throw new ModelException(
                $"output '{name}' has shape [{string.Join(", ", actual.Shape)}], the reference's [{string.Join(", ", reference.Shape)}]: "
                    + "choose outputs that have the same");
        float[] values = actual.ToFloats(), expected = reference.ToFloats();
        _maskedBy ??= mask?.Name;
        int positions = mask?.Count ?? 1, length = values.Length / positions;
        for (int position = 0; position < positions; position++)
        {
            if (mask is not null && !mask.Counts(position)) continue;
            _hasPositions = true;
            Add(values.AsSpan(position * length, length), expected.AsSpan(position * length, length));
        }
    }

    private void Add(ReadOnlySpan<float> values, ReadOnlySpan<float> expected)
    {
        for (int i = 0; i < values.Length; i++)
        {
            // Equal infinities, as a masked score may be, are no error; a NaN or a lone infinity has no ratio.
            if (values[i] == expected[i] && !float.IsFinite(values[i]))
                continue;
            double value = values[i], wanted = expected[i], error = value - wanted;
            if (!double.IsFinite(error))
                throw new ModelException(
                    $"output '{name}' is {values[i]} where the reference is {expected[i]}: the model overflows on this data");
            _signal += wanted * wanted;
            _own += value * value;
            _product += value * wanted;
            _noise += error * error;
            _largest = Math.Max(_largest, Math.Abs(error));
        }
    }
}
