using NestQuant.Data;
using NestQuant.Onnx;

namespace NestQuant.Evaluation;

/// <summary>Accumulates how well one precision's outputs agree with labels and with a reference.</summary>
internal sealed class OutputComparison
{
    private long _samples;
    private long _labelled;
    private long _correct;
    private long _agreeing;
    private double _signal;
    private double _noise;

    /// <summary>Share of labelled samples whose largest output is at the label; null without labels.</summary>
    public double? Top1 => _labelled == 0 ? null : (double)_correct / _labelled;

    /// <summary>Share of samples whose largest output is at the same place as the reference's.</summary>
    public double Agreement => (double)_agreeing / _samples;

    /// <summary>Energy of the reference over energy of the difference, in dB; infinite when the outputs are equal.</summary>
    public double SqnrDb => _noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(_signal / _noise);

    /// <summary>Adds the first output of a batch, [samples, ...] with any number of values per sample.</summary>
    /// <param name="actual">The outputs; rows beyond <paramref name="samples"/> are padding.</param>
    /// <param name="reference">What to compare with, at least as many rows of the same length.</param>
    /// <param name="samples">Number of rows that count.</param>
    /// <param name="labels">Index of the right value per row, or null.</param>
    /// <exception cref="ModelException">The two have different sizes, or a value is not a number.</exception>
    public void Add(NamedArray actual, NamedArray reference, int samples, IReadOnlyList<long>? labels)
    {
        float[] values = actual.Array.ToFloats();
        float[] expected = reference.Array.ToFloats();
        int row = RowLength(actual, samples);
        if (RowLength(reference, samples) != row)
        {
            throw new ModelException(
                $"output '{actual.Name}' has shape [{string.Join(", ", actual.Array.Shape)}], the reference's "
                    + $"[{string.Join(", ", reference.Array.Shape)}]");
        }

        for (int i = 0; i < samples; i++)
        {
            int best = IndexOfMax(values.AsSpan(i * row, row));
            _agreeing += best == IndexOfMax(expected.AsSpan(i * row, row)) ? 1 : 0;
            _correct += labels is not null && best == labels[i] ? 1 : 0;
        }

        _samples += samples;
        _labelled += labels is null ? 0 : samples;
        AddEnergies(values.AsSpan(0, samples * row), expected.AsSpan(0, samples * row), actual.Name);
    }

    /// <summary>Adds a further output to the ratio only.</summary>
    /// <exception cref="ModelException">The two have different sizes, or a value is not a number.</exception>
    public void AddEnergies(NamedArray actual, NamedArray reference)
    {
        if (!actual.Array.Shape.SequenceEqual(reference.Array.Shape))
            throw new ModelException($"output '{actual.Name}' has another shape than the expected output");
        AddEnergies(actual.Array.ToFloats(), reference.Array.ToFloats(), actual.Name);
    }

    private void AddEnergies(ReadOnlySpan<float> values, ReadOnlySpan<float> expected, string? name)
    {
        for (int i = 0; i < values.Length; i++)
        {
            // Equal infinities, as a masked score may be, are no error; a NaN or a lone infinity has no ratio.
            if (values[i] == expected[i] && !float.IsFinite(values[i]))
                continue;
            double error = (double)values[i] - expected[i];
            if (!double.IsFinite(error))
                throw new ModelException(
                    $"output '{name}' is {values[i]} where the reference is {expected[i]}: the model overflows on this data");
            _signal += (double)expected[i] * expected[i];
            _noise += error * error;
        }
    }

    private static int RowLength(NamedArray output, int samples)
    {
        IReadOnlyList<long> shape = output.Array.Shape;
        if (shape.Count == 0 || shape[0] < samples || output.Array.Count == 0)
            throw new ModelException(
                $"output '{output.Name}' has shape [{string.Join(", ", shape)}], which does not hold a row for each of {samples} samples");
        return output.Array.Count / (int)shape[0];
    }

    private static int IndexOfMax(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            if (values[i] > values[best])
                best = i;
        }

        return best;
    }
}
