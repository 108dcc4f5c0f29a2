using System.Globalization;
using NestQuant.Compiler.Calibration;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Guard;

/// <summary>
/// Finds the activations whose quantization costs a model too much accuracy, and keeps them float: layers that read them become
/// weight-only. It changes no node itself; the passes that quantize activations heed it.
/// </summary>
internal sealed class ActivationGuardPass(
    ActivationGuard guard, WeightOptions weights, IActivationRangeSource? ranges, ActivationQuantizationPass? quantization) : IGraphPass
{
    /// <summary>Samples to measure on, where that takes at most <see cref="MostRuns"/> runs of the model; at least 2 in any case.</summary>
    private const int Samples = 8;

    private const int MostRuns = 512, FewestSamples = 2;

    /// <inheritdoc/>
    public string Name => "activation-guard";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        ActivationRanges? found = ranges?.RangesOf(context);
        if (found is not null) context.Leave(found);
        SwitchedModel model = SwitchedModel.Of(context, weights, quantization, found);
        int count = model.Activations.Count;
        if (count == 0) return new PassResult(false);
        int most = Math.Clamp(MostRuns / count, FewestSamples, Samples);
        using CalibrationSamples samples = CalibrationSamples.Read(context.Model, guard.Data, most, LevelCalibration.MemoryLimit);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = context.Threads, CancellationToken = context.Cancellation };
        using var network = new SwitchedNetwork(context.Model, model, samples, guard.CustomOps, parallel);
        var search = new GuardSearch(guard.Decibels, network.Measure);
        if (search.Fits(search.Rounded)) return new PassResult(false);
        GuardChoice choice = search.Choose(count, done => context.Progress?.Report(new PassProgress(Name, done, count)));

        int worst = Enumerable.Range(0, network.Outputs.Count).MinBy(output => search.Rounded[output].Decibels - search.Float[output].Decibels);
        var guarded = new GuardedActivations();
        foreach (int i in choice.Kept)
        {
            RoundedActivation activation = model.Activations[i];
            guarded.Keep(activation.Value, activation.Layers, string.Create(
                CultureInfo.InvariantCulture,
                $"'{activation.Value}' stays float: rounded to 8 bits it alone takes output '{network.Outputs[worst]}' "
                    + $"from {search.Float[worst].Decibels:F1} to {choice.Alone[i][worst].Decibels:F1} dB"));
        }

        context.Leave(guarded);
        context.Decisions.Rewritten(Name, network.Outputs[worst], Decision.WholeModel, note: string.Create(
            CultureInfo.InvariantCulture,
            $"{choice.Kept.Count} of {count} activations stay float: output '{network.Outputs[worst]}' has "
                + $"{search.Float[worst].Decibels:F1} dB weight-only, {search.Rounded[worst].Decibels:F1} dB with all activations in 8 "
                + $"bits, {choice.Result[worst].Decibels:F1} dB now; at most {guard.Decibels} dB may be lost"));
        return new PassResult(false);
    }
}
