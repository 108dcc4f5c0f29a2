using NestQuant.Data;

namespace NestQuant.Evaluation;

/// <summary>
/// Accumulates how often the largest score of a sample is that of its label, and that of a reference. An output has classes when it is of
/// floats in the shape [samples, classes], also with spatial extents of one; maps, sequences and scalars have none.
/// </summary>
internal sealed class ClassComparison
{
    private long _samples;
    private long _labelled;
    private long _correct;
    private long _agreeing;

    /// <summary>Share of labelled samples whose largest score is at the label; null without labels or classes.</summary>
    public double? Top1 => _labelled == 0 ? null : (double)_correct / _labelled;

    /// <summary>Share of samples whose largest score is at the same place as the reference's; null without classes.</summary>
    public double? Agreement => _samples == 0 ? null : (double)_agreeing / _samples;

    /// <summary>Adds the scores of a batch, if it has any.</summary>
    /// <param name="actual">An output.</param>
    /// <param name="reference">That of the reference.</param>
    /// <param name="samples">Number of samples.</param>
    /// <param name="labels">Class of every sample; null when unknown.</param>
    public void Add(NpyArray actual, NpyArray reference, int samples, IReadOnlyList<long>? labels)
    {
        if (!HasClasses(actual.Type, actual.Shape, samples)) return;
        float[] values = actual.ToFloats(), expected = reference.ToFloats();
        int classes = values.Length / samples;
        for (int i = 0; i < samples; i++)
        {
            int best = IndexOfMax(values.AsSpan(i * classes, classes));
            _agreeing += best == IndexOfMax(expected.AsSpan(i * classes, classes)) ? 1 : 0;
            _correct += labels is not null && best == labels[i] ? 1 : 0;
        }

        _samples += samples;
        _labelled += labels is null ? 0 : samples;
    }

    private static bool HasClasses(NpyType type, IReadOnlyList<long> shape, int samples) =>
        type >= NpyType.Float16 && shape is [_, > 1] or [_, > 1, 1, 1] && shape[0] == samples;

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
