using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Passes.Integer.ActivationQuantization;
using NestQuant.Passes.Nesting;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Guard;

/// <summary>
/// Finds the activations whose quantization costs a model too much accuracy, and keeps them float: layers that read them become
/// weight-only. It changes no node itself; the passes that quantize activations read what it leaves.
/// </summary>
internal sealed class ActivationGuardPass(ActivationGuard guard, WeightOptions weights, ActivationQuantizationPass? quantization)
    : IGraphPass
{
    /// <summary>Most samples to measure on, evenly spaced over the data.</summary>
    private const int Samples = 32;

    /// <inheritdoc/>
    public string Name => "activation-guard";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = context.Threads, CancellationToken = context.Cancellation };
        SwitchedModel model = SwitchedModel.Of(context, weights, quantization, parallel);
        int count = model.Activations.Count;
        if (count == 0) return new PassResult(false);
        using CalibrationSamples samples =
            CalibrationSamples.Read(context.Model, guard.Data, Samples, LevelCalibration.MemoryLimit);
        using var network = new SwitchedNetwork(context.Model, model, samples, guard.CustomOps, parallel);
        var search = new GuardSearch(network.Unrounded, guard.Decibels, network.Measure);
        if (search.Fits(search.Rounded)) return new PassResult(false);
        GuardChoice choice = search.Choose(count, done => context.Progress?.Report(new PassProgress(Name, done, count)));

        int worst = search.Worst;
        string output = network.Outputs[worst];
        var guarded = new GuardedActivations();
        foreach (int i in choice.Kept)
        {
            RoundedActivation activation = model.Activations[i];
            guarded.Keep(activation.Value, activation.Layers, string.Create(
                CultureInfo.InvariantCulture,
                $"'{activation.Value}' stays float: output '{output}' has {choice.Alone[i][worst].Decibels:F1} dB with it alone in 8 bits, "
                    + $"{search.Float[worst].Decibels:F1} dB weight-only, and may lose {guard.Decibels} dB"));
        }

        context.Leave(guarded);
        context.Decisions.Rewritten(Name, output, Decision.WholeModel, note: string.Create(
            CultureInfo.InvariantCulture,
            $"{choice.Kept.Count} of {count} activations stay float: output '{output}' has {search.Float[worst].Decibels:F1} dB "
                + $"weight-only, {search.Rounded[worst].Decibels:F1} dB with all activations in 8 bits, "
                + $"{choice.Result[worst].Decibels:F1} dB now (bound {guard.Decibels} dB, {samples.Count} samples)"));
        return new PassResult(false);
    }
}
