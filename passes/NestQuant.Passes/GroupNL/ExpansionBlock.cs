using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;

namespace NestQuant.Passes.GroupNL;

/// <summary>A GroupNL block in a graph, found by its structure.</summary>
/// <param name="Seeds">Name of the seed maps, float32 [N, Cs, H, W].</param>
/// <param name="SeedCount">Cs, the number of seed maps.</param>
/// <param name="Generated">Origin of every generated map.</param>
/// <param name="Epsilon">Lower bound of the norm, positive.</param>
/// <param name="Join">The Concat that yields the normalised seed maps and the generated maps after them.</param>
/// <param name="Inner">The other nodes of the block, none of whose results is used outside of it.</param>
internal sealed record ExpansionBlock(string Seeds, int SeedCount, MapOrigin[] Generated, float Epsilon, NodeProto Join, IReadOnlySet<NodeProto> Inner)
{
    /// <summary>Number of maps that the block yields.</summary>
    public int Channels => SeedCount + Generated.Length;

    /// <summary>Operators between the normalised maps and the sine, in a GroupNL block or in something that looks like one.</summary>
    private static readonly HashSet<string> Carriers = new(StringComparer.Ordinal)
    {
        "Add", "Cast", "Concat", "Div", "Expand", "Gather", "Identity", "Mul", "Neg", "Reshape", "Slice", "Split", "Squeeze", "Sub", "Tile", "Transpose", "Unsqueeze",
    };

    /// <summary>Whether a sine is computed of what the normalisation yields: what makes it a candidate.</summary>
    public static bool LeadsToSine(SeedNormalisation start, GraphView view)
    {
        var seen = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var open = new Stack<NodeProto>([start.Divide]);
        while (open.TryPop(out NodeProto? node))
        {
            foreach (NodeProto consumer in node.Output.SelectMany(view.Consumers))
            {
                if (consumer.Is("Sin")) return true;
                if (consumer.IsDefaultDomain() && Carriers.Contains(consumer.OpType) && seen.Add(consumer)) open.Push(consumer);
            }
        }

        return false;
    }

    /// <summary>Checks a candidate.</summary>
    /// <param name="start">The normalisation that it starts with.</param>
    /// <param name="view">The graph.</param>
    /// <param name="opset">Version of the default operator set.</param>
    /// <param name="block">The block, when it is one.</param>
    /// <returns>Why it is none, or null.</returns>
    public static string? WhyNot(SeedNormalisation start, GraphView view, long opset, out ExpansionBlock? block)
    {
        block = null;
        if (start.WhyNot(view, opset, out float epsilon) is { } reason) return reason;
        if (SeedShape.Of(start.Seeds, view) is not { } shape || shape[TracedMaps.ChannelAxis] is not (> 0 and <= TracedMaps.MaxMaps))
            return $"the model does not say how many channels '{start.Seeds}' has, as the first of 4 axes after the batch";
        var trace = new MapTrace(view, start.Seeds, shape, start.Divide.Output[0]);
        if (start.Expand is { } expand && !trace.ExpandsToSeeds(expand.InputAt(1)))
            return $"{expand.OpType} '{expand.DisplayName()}' may give the norm another shape than that of '{start.Seeds}'";
        if (FindJoin(start.Divide, trace, view, out NodeProto? join) is { } unjoined) return unjoined;
        HashSet<NodeProto> inner = NodesBetween(start.Seeds, join!, view);
        if (WhyNeeded(inner, join!, view) is { } needed) return needed;
        block = new ExpansionBlock(start.Seeds, trace.Seeds, trace.GeneratedBehindSeeds(join!.Output[0])!, epsilon, join, inner);
        return null;
    }

    private static string? FindJoin(NodeProto divide, MapTrace trace, GraphView view, out NodeProto? join)
    {
        join = null;
        foreach (NodeProto node in view.Graph.Node.SkipWhile(node => node != divide).Skip(1))
        {
            // Shapes of maps are looked at by the nodes that use them.
            if (node.Is("Shape") || !trace.IsReadBy(node)) continue;
            if (trace.Follow(node) is { } reason) return reason;
            if (!node.Is("Concat") || trace.GeneratedBehindSeeds(node.Output[0]) is null) continue;
            join = node;
            return null;
        }

        return "no Concat joins all normalised maps and the generated maps after them";
    }

    /// <summary>The nodes that the join depends on, up to the seed maps, without the join and without what only reads the seed maps' shape.</summary>
    private static HashSet<NodeProto> NodesBetween(string seeds, NodeProto join, GraphView view)
    {
        var between = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        var open = new Stack<NodeProto>([join]);
        while (open.TryPop(out NodeProto? node))
        {
            foreach (string input in node.Input)
                if (input != seeds && view.Producer(input) is { } producer && between.Add(producer)) open.Push(producer);
        }

        var replaced = new HashSet<string>(StringComparer.Ordinal);
        foreach (NodeProto node in view.Graph.Node.Where(between.Contains).ToArray())
        {
            bool reads = node.Input.Exists(replaced.Contains) || (!node.Is("Shape") && node.Input.Contains(seeds));
            if (reads) replaced.UnionWith(node.Output);
            else between.Remove(node);
        }

        return between;
    }

    private static string? WhyNeeded(HashSet<NodeProto> inner, NodeProto join, GraphView view)
    {
        foreach (string value in view.Graph.Node.Where(inner.Contains).SelectMany(static node => node.Output).Where(static value => value.Length > 0))
        {
            if (view.IsOutput(value)) return $"its inner value '{value}' is also an output of the graph";
            if (view.Consumers(value).FirstOrDefault(consumer => consumer != join && !inner.Contains(consumer)) is { } other)
                return $"its inner value '{value}' is also used by {other.OpType} '{other.DisplayName()}'";
        }

        return null;
    }
}
