using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Calibration;
using NestQuant.Passes.GroupNL.Expansion;
using NestQuant.Passes.Sampling;

namespace NestQuant.Passes.GroupNL.Calibration;

/// <summary>
/// Expands convolutions one after the other, in graph order, and refits the consumers of each, so that later ones are fitted to the model
/// as changed so far. An expansion whose consumers cannot all be refitted within the budget is undone.
/// </summary>
internal sealed class CalibratedExpansion
{
    private readonly ModelContext _context;
    private readonly GroupNLExpandOptions _options;
    private readonly GroupNLCalibration _calibration;
    private readonly GraphProto _graph;
    private readonly UniqueNames _names;
    private readonly SeededUniform _random;
    private readonly ConsumerRefit _refit;

    /// <summary>Starts with a model, whose main graph gives the outputs that consumers are fitted to.</summary>
    public CalibratedExpansion(ModelContext context, UniqueNames names, GroupNLExpandOptions options, GroupNLCalibration calibration)
    {
        (_context, _names, _options, _calibration) = (context, names, options, calibration);
        _graph = context.Model.MainGraph();
        _random = new SeededUniform(options.Seed);
        _refit = new ConsumerRefit(context, new GraphSnapshot(_graph), names, calibration);
    }

    /// <summary>Expands a convolution and refits its consumers; or leaves the graph as it is and records the reason in the
    /// candidate.</summary>
    public void Replace(ExpansionCandidate candidate)
    {
        string output = candidate.Node.Output[0];
        var before = new GraphSnapshot(_graph);
        GraphView view = GraphView.Of(_graph);
        candidate.Reason = ConsumerSearch.WhyNot(output, view, out IReadOnlyList<LinearConsumer> consumers);
        if (candidate.Reason is not null) return;

        // The convolution may itself have been refitted: seeds are chosen from its current filters.
        NodeProto current = view.Producer(output)!;
        var expansion = new StandardExpansion(view, _names, _context.Model.OpsetVersion(), _options, _random);
        expansion.Replace(candidate with { Node = current, Weight = view.Constant(current.Input[1]) });
        candidate.Reason = Refit(candidate, consumers, view);
        if (candidate.Reason is not null)
        {
            before.Restore();
            return;
        }

        if (current.InputAt(2).Length > 0 && candidate.Node.InputAt(2).Length == 0)
            candidate.GainedParameters = candidate.Shape!.Value.Outputs;
    }

    /// <summary>Refits all consumers, also after one that exceeds the budget: the largest error is the budget that would suffice.</summary>
    private string? Refit(ExpansionCandidate candidate, IReadOnlyList<LinearConsumer> consumers, GraphView view)
    {
        var errors = new List<string>();
        (double Error, string Consumer) worst = (0, "");
        foreach (LinearConsumer consumer in consumers)
        {
            string name = consumer.Node.DisplayName();
            if (_refit.Replace(consumer, view, out double error) is { } reason)
                return $"its consumer '{name}' cannot be refitted: {reason}";
            if (error >= worst.Error) worst = (error, name);
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"'{name}' (relative error {error:F4})"));
        }

        if (worst.Error > _calibration.Budget)
        {
            candidate.BudgetNeeded = worst.Error;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"refitting its consumer '{worst.Consumer}' leaves a relative error of {worst.Error:F4} on the calibration data, "
                    + $"above the budget of {_calibration.Budget}");
        }

        candidate.Refit = $"refitted {string.Join(", ", errors)}";
        return null;
    }
}
