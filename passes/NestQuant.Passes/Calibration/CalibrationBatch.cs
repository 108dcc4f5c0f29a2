using NestQuant.Data;

namespace NestQuant.Passes.Calibration;

/// <summary>Consecutive samples that a model is run on, and where they come from.</summary>
/// <param name="Source">Name of the data, for messages.</param>
/// <param name="First">Position of the first sample in the data, from 0.</param>
/// <param name="Samples">The samples.</param>
internal sealed record CalibrationBatch(string Source, long First, DatasetBatch Samples)
{
    /// <summary>Reads a data set.</summary>
    /// <param name="data">The data set.</param>
    /// <param name="fixedBatch">Samples of every run where the model fixes them. A smaller rest at the end cannot be run then, and is not
    /// read.</param>
    /// <param name="size">Samples of every run otherwise. A data set that fixes its batches itself is read as it is.</param>
    public static IEnumerable<CalibrationBatch> Read(Dataset data, int? fixedBatch, int size)
    {
        int? wanted = data.FreeBatches ? fixedBatch : null;
        long first = 0;
        foreach (DatasetBatch samples in data.ReadBatches(wanted ?? size))
        {
            if (wanted > samples.Samples && first > 0) yield break;
            yield return new CalibrationBatch(data.Path, first, samples);
            first += samples.Samples;
        }
    }

    /// <summary>The sample that an element belongs to, for messages.</summary>
    /// <param name="element">Position of the element in a tensor.</param>
    /// <param name="length">Number of elements of the tensor.</param>
    public string SampleOf(int element, int length)
    {
        // In a value whose first axis is not the samples, the sample of an element is not known.
        int samples = Samples.Samples, row = length / samples;
        return length % samples == 0
            ? $"{Source}: sample {First + (element / row)}"
            : $"{Source}: samples {First} to {First + samples - 1}";
    }
}
