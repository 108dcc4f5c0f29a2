using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>
/// Connected channels-first nodes that could also be channels last, and the cost of the transposes at their boundary in either order.
/// </summary>
internal sealed class LayoutRegion
{
    private readonly GraphView _view;
    private readonly UnitExtents _extents;

    private LayoutRegion(List<NodeProto> nodes, int rank, GraphView view, UnitExtents extents)
    {
        Nodes = nodes;
        Members = nodes.ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        Rank = rank;
        _view = view;
        _extents = extents;
        var produced = nodes.SelectMany(DataOutputs).ToHashSet(StringComparer.Ordinal);
        Inputs = [.. nodes.SelectMany(DataInputs).Where(value => !produced.Contains(value)).Distinct(StringComparer.Ordinal)];
        Outputs =
        [
            .. nodes.SelectMany(DataOutputs).Where(
                value => value.Length > 0 && (view.IsOutput(value) || view.Consumers(value).Any(consumer => !Members.Contains(consumer))))
        ];
    }

    /// <summary>The nodes, in graph order.</summary>
    public IReadOnlyList<NodeProto> Nodes { get; }

    /// <summary>The same nodes, for lookup.</summary>
    public IReadOnlySet<NodeProto> Members { get; }

    /// <summary>Rank of all data inputs and outputs.</summary>
    public int Rank { get; }

    /// <summary>The values that come from outside, each once.</summary>
    public IReadOnlyList<string> Inputs { get; }

    /// <summary>The values that are read outside.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <summary>The inputs of a node that have an order of axes, which scalars do not.</summary>
    public static IEnumerable<string> DataInputs(NodeProto node) => LayoutRules.For(node)!.DataInputs(node).Select(node.InputAt);

    /// <summary>The outputs of a node that have an order of axes.</summary>
    public static IEnumerable<string> DataOutputs(NodeProto node) => node.Output.Take(LayoutRules.For(node)!.DataOutputs(node));

    /// <summary>Finds the regions of a graph that touch a transpose between the two orders.</summary>
    public static List<LayoutRegion> Find(GraphView view)
    {
        var ranks = new ValueRanks(view);
        var extents = new UnitExtents(view);
        var sets = new DisjointNodes();
        foreach (NodeProto node in view.Graph.Node)
        {
            if (RankOf(node, ranks, view) is not { } rank) continue;
            sets.Add(node, rank);
            // Bytes and floats are separate regions: a transpose of floats costs more than one of bytes.
            if (node.Is("DequantizeLinear")) continue;
            foreach (string input in DataInputs(node))
            {
                if (view.Producer(input) is not { } producer || producer.Is("QuantizeLinear") || producer.Is("DynamicQuantizeLinear"))
                    continue;
                if (sets.Contains(producer) && DataOutputs(producer).Contains(input)) sets.Join(node, producer);
                // Consumers of one transposed value belong to one region, since its transpose can be removed only when none of them needs
                // it.
                if (AxisOrder.IsToFirst(producer))
                    foreach (NodeProto other in view.Consumers(input))
                        if (sets.Contains(other) && !other.Is("DequantizeLinear")) sets.Join(node, other);
            }
        }

        return [
            .. sets.All()
                .Select(set => new LayoutRegion(set.Nodes, set.Rank, view, extents))
                .Where(static region => region.TouchesTranspose())
        ];
    }

    /// <summary>
    /// Whether the transposes at the boundary move fewer bytes per element, or smaller tensors, when the region is channels last.
    /// </summary>
    public bool IsBetterChannelsLast()
    {
        (int first, int firstInputs) = CostOfChannelsFirst();
        (int last, int lastInputs) = CostOfChannelsLast();
        return (last, lastInputs).CompareTo((first, firstInputs)) < 0;
    }

    private static int? RankOf(NodeProto node, ValueRanks ranks, GraphView view)
    {
        if (LayoutRules.For(node) is not { } rule) return null;
        int? rank = null;
        foreach (string input in DataInputs(node))
        {
            if (view.Constant(input) is not null || ranks.Of(input) is not ({ } own and > 2) || (rank is not null && rank != own))
                return null;
            rank = own;
        }

        return rank is { } common && rule.Applies(node, common, view) ? common : null;
    }

    private bool TouchesTranspose() =>
        Inputs.Any(value => AxisOrder.IsToFirst(_view.Producer(value)))
            || Outputs.Any(value => _view.Consumers(value).Any(AxisOrder.IsToLast));

    private (int Total, int Inputs) CostOfChannelsFirst()
    {
        int inputs = Inputs.Where(value => AxisOrder.IsToFirst(_view.Producer(value))).Sum(Cost);
        int others = Inputs.Where(value => !AxisOrder.IsToFirst(_view.Producer(value)) && IsReadChannelsLast(value)).Sum(Cost);
        return (inputs + others + Outputs.Where(IsReadChannelsLast).Sum(Cost), inputs);
    }

    private (int Total, int Inputs) CostOfChannelsLast()
    {
        int inputs = Inputs.Where(value => !AxisOrder.IsToFirst(_view.Producer(value)) || IsReadChannelsFirst(value)).Sum(Cost);
        return (inputs + Outputs.Where(IsReadChannelsFirst).Sum(Cost), inputs);
    }

    private bool IsReadChannelsLast(string value) => _view.Consumers(value).Any(AxisOrder.IsToLast);

    /// <summary>Whether a value has a consumer that is neither in the region nor a transpose to channels last.</summary>
    private bool IsReadChannelsFirst(string value) =>
        _view.IsOutput(value) || _view.Consumers(value).Any(consumer => !Members.Contains(consumer) && !AxisOrder.IsToLast(consumer));

    private int Cost(string value) => _extents.Of(value) == UnitExtent.None ? ElementBytes.Of(value, _view) : 0;
}
