using Microsoft.ML.OnnxRuntime;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Passes.Calibration;

namespace NestQuant.Passes.Nesting.Calibrated;

/// <summary>The samples that weights are rounded for, as inputs of the model; several networks read them.</summary>
internal sealed class CalibrationSamples : IDisposable
{
    private CalibrationSamples(IReadOnlyList<string> origins, StoredValues values) => (Origins, Values) = (origins, values);

    /// <summary>Where the samples come from, for messages.</summary>
    public IReadOnlyList<string> Origins { get; }

    /// <summary>The model's inputs.</summary>
    public StoredValues Values { get; }

    /// <summary>Number of samples, each of which is one run of the model.</summary>
    public int Count => Origins.Count;

    /// <summary>Reads evenly spaced samples.</summary>
    /// <param name="model">The model.</param>
    /// <param name="data">Its inputs.</param>
    /// <param name="most">Most samples to take.</param>
    /// <param name="limit">Most bytes to keep in memory.</param>
    /// <exception cref="ModelException">The data does not fit the model, or is not finite.</exception>
    public static CalibrationSamples Read(ModelProto model, Dataset data, int most, long limit)
    {
        IReadOnlyList<ModelInput> inputs = ModelInput.Of(model);
        int? fixedBatch = inputs is [var first, ..] ? first.FixedBatch : null;
        long runs = Math.Max(most / (fixedBatch ?? 1), 1), available = Math.Max(data.Count / (fixedBatch ?? 1), 1);
        long stride = Math.Max((available + runs - 1) / runs, 1);
        var origins = new List<string>();
        var values = new StoredValues((int)((available + stride - 1) / stride) + 1, limit);
        try
        {
            int position = 0;
            foreach (CalibrationBatch batch in CalibrationBatch.Read(data, fixedBatch, size: 1))
            {
                if (position++ % stride != 0) continue;
                OrtValue[] feed = SampleFeed.Of(inputs, batch);
                for (int i = 0; i < feed.Length; i++) values.Add(inputs[i].Name, origins.Count, feed[i]);
                origins.Add($"{batch.Source}: sample {batch.First}");
            }

            return origins.Count > 0
                ? new CalibrationSamples(origins, values)
                : throw new ModelException($"{data.Path}: has no samples to calibrate with");
        }
        catch
        {
            values.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Values.Dispose();
}
