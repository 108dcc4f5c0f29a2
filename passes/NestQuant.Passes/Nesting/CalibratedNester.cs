using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting.Calibrated;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Rounds nested weights for the inputs that their layers get on data (docs/algorithms.md, calibrated rounding): one precision of the
/// model after the other, from full precision down, and within it one layer after the other.
/// </summary>
internal static class CalibratedNester
{
    /// <summary>Nests all weights, and gives the candidates the biases that go with them.</summary>
    /// <param name="main">The main graph.</param>
    /// <param name="open">The candidates that are to be nested: products in graph order, then tables.</param>
    /// <param name="options">The options, with data.</param>
    /// <param name="context">The model.</param>
    /// <param name="parallel">Degree of parallelism and cancellation. The result does not depend on it.</param>
    /// <exception cref="ModelException">The data does not fit the model.</exception>
    public static Dictionary<TensorProto, NestedWeight> Nest(
        GraphView main, NestingCandidate[] open, WeightOptions options, ModelContext context, ParallelOptions parallel)
    {
        Dictionary<TensorProto, NestedWeight> nested = WithoutData(open, parallel);
        var model = new CalibratedModel(main, open, nested);
        if (model.Layers.Count == 0 && options.Budget is null) return nested;
        WeightCalibration calibration = options.Calibration!;
        using CalibrationSamples samples =
            CalibrationSamples.Read(context.Model, calibration.Data, calibration.Samples, LevelCalibration.MemoryLimit);
        var levels = new LevelCalibration(context.Model, samples, calibration.CustomOps, parallel);
        if (options.Budget is not null)
        {
            BitBudgetSearch.Apply(model, levels, open, options, context);
            nested = WithoutData(open, parallel);
            model = new CalibratedModel(main, open, nested);
        }

        if (options.Range == WeightRange.Calibrated)
        {
            FindRanges(model, levels, nested, context, parallel);
            model = new CalibratedModel(main, open, nested);
        }

        CalibratedLayer[] layers = [.. model.Layers.Select(static pair => pair.Layer)];
        int[] precisions =
        [
            .. model.Weights.Values.SelectMany(static weight => weight.Bits.Levels).Distinct().OrderDescending()
                .Where(precision => Array.Exists(layers, layer => !layer.IsKnown(layer.Weight.Bits.LevelAt(precision)))),
        ];
        int done = 0;
        foreach (int precision in precisions)
            levels.Run(
                layers,
                model.Weights.Values,
                precision,
                _ => context.Progress?.Report(new PassProgress(NestingPass.CalibrationName, ++done, layers.Length * precisions.Length)));

        foreach (TensorProto tensor in model.Layers.Select(static pair => pair.Candidate.Weight!).Distinct())
            nested[tensor] = Nested(tensor, model.Weights[tensor], nested[tensor], parallel);
        foreach ((NestingCandidate candidate, CalibratedLayer layer) in model.Layers) Describe(candidate, layer);
        return nested;
    }

    /// <summary>The weights of candidates by the best rounding that needs no data.</summary>
    public static Dictionary<TensorProto, NestedWeight> WithoutData(NestingCandidate[] open, ParallelOptions parallel)
    {
        var nested = new Dictionary<TensorProto, NestedWeight>(ReferenceEqualityComparer.Instance);
        foreach (NestingCandidate candidate in open)
            if (!nested.ContainsKey(candidate.Weight!))
                nested[candidate.Weight!] =
                    WeightNester.Nest(candidate.Weight!, candidate.Channels, candidate.WithoutData, parallel);
        return nested;
    }

    /// <summary>Nests the weights again, with ranges that are chosen for the data.</summary>
    private static void FindRanges(
        CalibratedModel model, LevelCalibration levels, Dictionary<TensorProto, NestedWeight> nested, ModelContext context,
        ParallelOptions parallel)
    {
        (NestingCandidate Candidate, CalibratedLayer Layer)[] first = [.. model.Layers.DistinctBy(static pair => pair.Layer.Weight)];
        int done = 0;
        IReadOnlyList<ChannelRange[]> ranges = levels.RangesOf(
            [.. first.Select(static pair => pair.Layer)],
            _ => context.Progress?.Report(new PassProgress("ranges of weights", ++done, first.Length)));
        for (int i = 0; i < first.Length; i++)
        {
            NestingCandidate candidate = first[i].Candidate;
            nested[candidate.Weight!] = WeightNester.Nest(
                candidate.Weight!,
                candidate.Channels,
                candidate.WithoutData,
                parallel,
                Array.ConvertAll(ranges[i], static range => new ChannelScale((float)(1 / range.Unit), -(float)range.Zero)));
        }
    }

    private static NestedWeight Nested(TensorProto tensor, CalibratedWeight weight, NestedWeight plain, ParallelOptions parallel)
    {
        IReadOnlyList<int> levels = weight.Bits.Levels;
        return plain.WithLevels(
            tensor,
            [.. levels.Select(level => ChannelMajor.To<sbyte>(weight[level].Integers, weight.View))],
            [.. levels.Skip(1).SelectMany(level => weight[level].Scales)],
            parallel);
    }

    private static void Describe(NestingCandidate candidate, CalibratedLayer layer)
    {
        int[] levels = [.. layer.Weight.Bits.Levels];
        if (layer.Biases.TryGetValue(levels[0], out float[]? full)) candidate.FullBias = full;
        if (levels.Skip(1).All(layer.Biases.ContainsKey)) candidate.PartBias = [.. levels.Skip(1).SelectMany(level => layer.Biases[level])];
        if (layer.Positions < layer.Rows.Length)
            candidate.RoundingNote = string.Create(
                CultureInfo.InvariantCulture,
                $"rounded for {layer.Positions} positions, fewer than its {layer.Rows.Length} weights per channel: more samples help");
    }
}
