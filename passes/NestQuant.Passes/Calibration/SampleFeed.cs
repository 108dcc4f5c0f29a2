using Microsoft.ML.OnnxRuntime;
using NestQuant.Data;
using NestQuant.Onnx;
using NestQuant.Passes.Sessions;

namespace NestQuant.Passes.Calibration;

/// <summary>The inputs of a model for one run, from calibration data.</summary>
internal static class SampleFeed
{
    /// <summary>One value per input, in the model's order; the caller disposes of them.</summary>
    /// <param name="inputs">The inputs of the model.</param>
    /// <param name="batch">Arrays by the names of the inputs, or in their order.</param>
    /// <exception cref="ModelException">The data does not fit the model, or is not finite.</exception>
    public static OrtValue[] Of(IReadOnlyList<ModelInput> inputs, CalibrationBatch batch)
    {
        var values = new List<OrtValue>();
        try
        {
            foreach (ModelInput input in inputs) values.Add(Of(input, inputs, batch));
            return [.. values];
        }
        catch
        {
            values.ForEach(static value => value.Dispose());
            throw;
        }
    }

    private static OrtValue Of(ModelInput input, IReadOnlyList<ModelInput> inputs, CalibrationBatch batch)
    {
        NpyArray array;
        try
        {
            array = input.Fit(ModelInput.Find(inputs, input, batch.Samples.Inputs));
        }
        catch (ModelException e)
        {
            throw new ModelException($"{batch.Source}: {e.Message}", e);
        }

        if (input.Type is NpyType.Float32 or NpyType.Float64) VerifyFinite(array.ToFloats(), input.Name, batch);
        return array.ToOrtValue();
    }

    private static void VerifyFinite(ReadOnlySpan<float> values, string name, CalibrationBatch batch)
    {
        if (!NonFinite.IsIn(values)) return;
        int element = NonFinite.IndexIn(values);
        throw new ModelException(
            $"{batch.SampleOf(element, values.Length)}: the data for input '{name}' has the value "
                + $"{NonFinite.Name(values[element])}, which is not finite: calibration needs real inputs");
    }
}
