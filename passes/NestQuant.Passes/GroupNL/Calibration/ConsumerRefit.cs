using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Calibration;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>
/// Refits one consumer in closed form: ridge regression from its inputs in the current model to its outputs in the original one, over all
/// samples of the calibration data.
/// </summary>
/// <param name="context">The model, whose main graph holds the consumer.</param>
/// <param name="original">The main graph before any expansion.</param>
/// <param name="names">Names that are taken.</param>
/// <param name="calibration">Data and strength of the regularisation.</param>
internal sealed class ConsumerRefit(ModelContext context, GraphSnapshot original, UniqueNames names, GroupNLCalibration calibration)
{
    /// <summary>Samples per run, where the model does not fix the batch size.</summary>
    private const int Batch = 32;

    /// <summary>Replaces the weight and the bias of a consumer.</summary>
    /// <param name="consumer">The consumer.</param>
    /// <param name="view">The main graph.</param>
    /// <param name="error">Relative error of its outputs on the calibration data.</param>
    /// <returns>Why it could not be refitted, or null.</returns>
    /// <exception cref="ModelException">The data does not fit the model.</exception>
    public string? Replace(LinearConsumer consumer, GraphView view, out double error)
    {
        error = double.NaN;
        NormalEquations equations = Accumulate(consumer);
        if (equations.Samples <= consumer.Features)
            return string.Create(
                CultureInfo.InvariantCulture,
                $"the calibration data gives {equations.Samples} positions for its {consumer.Features + 1} unknowns per output: "
                    + $"more data is needed");
        if (equations.Solve(calibration.Ridge) is not { } solution)
            return "its inputs are linearly dependent or not finite: a larger ridge may help";
        error = equations.RelativeError(solution);
        if (!double.IsFinite(error)) return "its outputs on the calibration data are not finite";

        TensorProto bias = TensorProto.FromFloats(
            BiasName(consumer, view), [consumer.Outputs], Array.ConvertAll(solution, static weights => weights[^1]));
        NodeProto node = consumer.With(solution, bias.Name, out TensorProto weight);
        view.ReplaceInitializer(weight);
        if (view.Initializer(bias.Name) is null) view.AddInitializer(bias);
        else view.ReplaceInitializer(bias);
        view.Replace(consumer.Node, node);
        return null;
    }

    private NormalEquations Accumulate(LinearConsumer consumer)
    {
        ModelProto model = context.Model;
        var current = new GraphSnapshot(model.MainGraph());
        using var reads = new ActivationCapture(current.Yielding(model, consumer.Node.Input[0]), calibration.CustomOps);
        using var yields = new ActivationCapture(original.Yielding(model, consumer.Node.Output[0]), calibration.CustomOps);
        var equations = new NormalEquations(consumer.Features, consumer.Outputs, context.Threads);
        var tiles = new PatchTiles(consumer);
        foreach (CalibrationBatch batch in CalibrationBatch.Read(calibration.Data, reads.FixedBatch, Batch))
        {
            context.Cancellation.ThrowIfCancellationRequested();
            (float[] inputs, long[] inputShape) = Capture(reads, batch);
            (float[] outputs, long[] outputShape) = Capture(yields, batch);
            tiles.Add(inputs, inputShape, outputs, outputShape, equations);
        }

        return equations;
    }

    private static (float[] Values, long[] Shape) Capture(ActivationCapture capture, CalibrationBatch batch)
    {
        (float[], long[]) captured = ([], []);
        capture.Run(batch, (name, value) =>
        {
            if (name == capture.Outputs[0]) captured = (value.GetTensorDataAsSpan<float>().ToArray(), value.GetTensorTypeAndShape().Shape);
        });
        return captured;
    }

    /// <summary>The name of the consumer's bias, when nothing else reads it and its shape fits, so that it can be replaced in
    /// place.</summary>
    private string BiasName(LinearConsumer consumer, GraphView view)
    {
        string name = consumer.Node.InputAt(2);
        bool own = name.Length > 0 && view.Constant(name) is { Dims: [var length] } && length == consumer.Outputs
            && view.Initializer(name) is not null && view.Consumers(name).Count == 1 && !view.IsOutput(name);
        return own ? name : names.Next(consumer.Node.Output[0] + "_refitted_bias");
    }
}
