using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting.Calibrated;
using NestQuant.RuntimeOps.Packing;

namespace NestQuant.Passes.Nesting;

/// <summary>Gives every weight the bits that a <see cref="BitBudget"/> allows, and tells the decision log how.</summary>
internal static class BitBudgetSearch
{
    /// <summary>Name under which it decides.</summary>
    public const string Name = "bit-budget";

    /// <summary>Points of the curve that are reported, at most.</summary>
    private const int ReportedPoints = 24;

    /// <summary>Chooses the bits of candidates.</summary>
    /// <param name="model">The model's layers, rounded without data.</param>
    /// <param name="levels">Finds the errors of layers.</param>
    /// <param name="open">The candidates that are to be nested, in graph order; their settings are changed.</param>
    /// <param name="options">The options, with a budget.</param>
    /// <param name="context">The model.</param>
    /// <exception cref="ModelException">The data does not fit the model, or the budget cannot be kept.</exception>
    public static void Apply(
        CalibratedModel model, LevelCalibration levels, NestingCandidate[] open, WeightOptions options, ModelContext context)
    {
        BitBudget budget = options.Budget!;
        (NestingCandidate Candidate, CalibratedLayer Layer)[] free =
        [
            .. model.Layers.Where(static pair => !pair.Candidate.Settings.HasOwnBits && pair.Layer.RoundsParts)
                .DistinctBy(static pair => pair.Layer.Weight),
        ];
        long fixedBytes = Fixed(open, free);
        var chosen = BitAllocation.Choose(
            Choices(free, options.Bits!.Value, levels, context),
            (budget.Bytes ?? long.MaxValue) - fixedBytes,
            budget.Decibels is { } decibels ? Math.Pow(10, -decibels / 10) : 0);
        Verify(budget, chosen.Curve, fixedBytes);
        for (int i = 0; i < free.Length; i++)
        {
            int bits = chosen.Chosen[i].Bits;
            foreach (NestingCandidate candidate in open)
                if (ReferenceEquals(candidate.Weight, free[i].Candidate.Weight))
                    candidate.Settings = candidate.Settings.With(new NestedBits(options.Bits.Value.Full, bits));
            context.Decisions.Rewritten(
                Name,
                free[i].Candidate.Node.DisplayName(),
                free[i].Candidate.Node.OpType,
                note: string.Create(CultureInfo.InvariantCulture, $"{bits} bits, output error {ToDb(chosen.Chosen[i].Error):F1} dB"));
        }

        if (free.Length > 0) context.Decisions.Rewritten(Name, "curve", "all", note: Describe(chosen.Curve, fixedBytes));
    }

    private static BitChoice[][] Choices(
        (NestingCandidate Candidate, CalibratedLayer Layer)[] free, NestedBits bits, LevelCalibration levels, ModelContext context)
    {
        int done = 0;
        IReadOnlyList<double[]> errors = levels.ErrorsFrom(
            bits.High,
            [.. free.Select(static pair => pair.Layer)],
            _ => context.Progress?.Report(new PassProgress(Name, ++done, free.Length)));
        return
        [
            .. free.Select((pair, layer) => errors[layer].Select((error, i) => new BitChoice(
                bits.High + i,
                new NestedLayout(new NestedBits(bits.Full, bits.High + i), pair.Layer.Weight.View).HighByteLength,
                error)).ToArray()),
        ];
    }

    /// <summary>Bytes of the high operands whose bits are not chosen here.</summary>
    private static long Fixed(NestingCandidate[] open, (NestingCandidate Candidate, CalibratedLayer Layer)[] free) =>
        open.DistinctBy(static candidate => candidate.Weight)
            .Where(candidate => !Array.Exists(free, chosen => ReferenceEquals(chosen.Candidate.Weight, candidate.Weight)))
            .Sum(static candidate => new NestedLayout(candidate.Settings.Quantization!.Bits, candidate.Channels).HighByteLength);

    private static void Verify(BitBudget budget, IReadOnlyList<(long Bytes, double Error)> curve, long fixedBytes)
    {
        if (curve[0].Bytes + fixedBytes > budget.Bytes)
            throw new ModelException(
                $"the budget is {budget.Bytes} bytes, but the fewest bits of all weights already take {curve[0].Bytes + fixedBytes}: give "
                    + "a larger budget or fewer bits");
        if (budget.Decibels is { } wanted && ToDb(curve[^1].Error) < wanted)
            throw new ModelException(string.Create(
                CultureInfo.InvariantCulture,
                $"the budget asks for {wanted} dB, but {ToDb(curve[^1].Error):F1} dB is all that "
                    + $"{curve[^1].Bytes + fixedBytes} bytes give: lower it, or allow more bits or bytes"));
    }

    private static string Describe(IReadOnlyList<(long Bytes, double Error)> curve, long fixedBytes)
    {
        int stride = Math.Max((curve.Count + ReportedPoints - 2) / (ReportedPoints - 1), 1);
        IEnumerable<string> points = curve.Where((_, i) => i % stride == 0 || i == curve.Count - 1).Select(point => string.Create(
            CultureInfo.InvariantCulture, $"{point.Bytes + fixedBytes} bytes {ToDb(point.Error):F1} dB"));
        return string.Join(", ", points);
    }

    private static double ToDb(double error) => -10 * Math.Log10(error);
}
