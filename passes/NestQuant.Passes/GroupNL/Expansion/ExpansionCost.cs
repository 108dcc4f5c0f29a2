using System.Globalization;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.GroupNL.Expansion;

/// <summary>
/// Parameters and multiply-accumulates (MACs) of a model and of its convolutions, before and after. Parameters are the trainable ones, as
/// PyTorch counts them: elements of float initializers with at least one axis, without running means and variances, and without shifts and
/// periods, which are never trained. MACs are those of the Conv nodes for one sample; generating maps counts none.
/// </summary>
internal sealed class ExpansionCost
{
    private readonly GraphView _view;
    private readonly Dictionary<string, long> _parameters;
    private readonly IReadOnlyDictionary<string, long> _pixels;
    private readonly IReadOnlyList<ExpansionCandidate> _candidates;
    private readonly GroupNLExpandOptions _options;

    /// <summary>Counts a model before it is expanded.</summary>
    public ExpansionCost(ModelProto model, GraphView view, IReadOnlyList<ExpansionCandidate> candidates, GroupNLExpandOptions options)
    {
        (_view, _candidates, _options) = (view, candidates, options);
        var statistics = view.Graph.Node.Where(static node => node.Is("BatchNormalization"))
            .SelectMany(static node => node.Input.Skip(3))
            .ToHashSet(StringComparer.Ordinal);
        _parameters = view.Graph.Initializer
            .Where(tensor => tensor is { DataType: TensorDataType.Float, Dims.Count: > 0 } && !statistics.Contains(tensor.Name))
            .ToDictionary(static tensor => tensor.Name, static tensor => tensor.ElementCount, StringComparer.Ordinal);
        _pixels = SpatialSizes.Of(model, [.. candidates.Select(static candidate => candidate.Node.Output[0])]);
    }

    /// <summary>Describes how the expansion of one convolution changes the cost.</summary>
    public string Describe(ExpansionCandidate candidate)
    {
        ConvShape trained = candidate.Shape!.Value, seed = Seed(candidate);
        string kind = seed.Groups == 1 ? "dense" : string.Create(CultureInfo.InvariantCulture, $"sparse, {seed.Groups} groups");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{trained.Outputs} outputs -> {seed.Outputs} seeds ({kind}) + {trained.Outputs - seed.Outputs} generated; ")
            + string.Create(
                CultureInfo.InvariantCulture,
                $"parameters {Parameters(candidate, trained):N0} -> {Parameters(candidate, seed) + candidate.GainedParameters:N0}; ")
            + (
                Pixels(candidate) is { } pixels
                    ? Macs(trained.Weights * pixels, seed.Weights * pixels)
                    : "MACs unknown: the size of its output is not known");
    }

    /// <summary>Describes how the expansion changed the cost of the whole model. Called after the expansion.</summary>
    public string Summarise()
    {
        ExpansionCandidate[] expanded = [.. _candidates.Where(static candidate => candidate.Reason is null)];
        var left = _view.Graph.Initializer.Select(static tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        long before = _parameters.Values.Sum();
        long after = _parameters.Where(entry => left.Contains(entry.Key)).Sum(static entry => entry.Value) + expanded.Sum(
            candidate => Parameters(candidate, Seed(candidate)) + candidate.GainedParameters)
            + GainedBiases();
        return string.Create(
            CultureInfo.InvariantCulture, $"{expanded.Length} of {_candidates.Count} Conv expanded; parameters {before:N0} -> {after:N0}; ")
            + (_candidates.All(candidate => candidate.Shape is not null && Pixels(candidate) is not null)
                ? Macs(
                    _candidates.Sum(candidate => Cost(candidate, candidate.Shape!.Value)),
                    _candidates.Sum(candidate => Cost(candidate, candidate.Reason is null ? Seed(candidate) : candidate.Shape!.Value)))
                : "MACs unknown: some sizes are not known");
    }

    /// <summary>Elements of biases that refitting added to consumers.</summary>
    private long GainedBiases()
    {
        var biases = _view.Graph.Node.Where(static node => node.Is("Conv") || node.Is("Gemm"))
            .Select(static node => node.InputAt(2))
            .ToHashSet(StringComparer.Ordinal);
        return _view.Graph.Initializer
            .Where(
                tensor =>
                    tensor is { DataType: TensorDataType.Float, Dims.Count: > 0 }
                        && biases.Contains(tensor.Name)
                        && !_parameters.ContainsKey(tensor.Name))
            .Sum(static tensor => tensor.ElementCount);
    }

    private ConvShape Seed(ExpansionCandidate candidate) => candidate.Shape!.Value.Seed(_options.Ratio, _options.Sparse);

    private long? Pixels(ExpansionCandidate candidate) => _pixels.TryGetValue(candidate.Node.Output[0], out long pixels) ? pixels : null;

    private long Cost(ExpansionCandidate candidate, ConvShape shape) => shape.Weights * Pixels(candidate)!.Value;

    /// <summary>The bias stays, after the join, with one value for every output.</summary>
    private static long Parameters(ExpansionCandidate candidate, ConvShape shape) =>
        shape.Weights + (candidate.Node.InputAt(2).Length > 0 ? candidate.Shape!.Value.Outputs : 0);

    private static string Macs(long before, long after) => string.Create(CultureInfo.InvariantCulture, $"MACs {before:N0} -> {after:N0}");
}
