using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Converts a region to channels last: its nodes, and the transposes at its boundary.</summary>
internal sealed class RegionConverter(LayoutRegion region, GraphView view, UniqueNames names)
{
    private readonly Dictionary<string, string> _channelsLast = new(StringComparer.Ordinal);
    private readonly LayoutChange _change = new(region.Rank, toLast: true, (wanted, create) =>
    {
        TensorProto tensor = create(names.Next(wanted + "_channels_last"));
        view.AddInitializer(tensor);
        return tensor.Name;
    });

    /// <summary>Rewrites the graph.</summary>
    public void Run()
    {
        foreach (string input in region.Inputs) _channelsLast[input] = InputInLast(input);
        foreach (NodeProto node in region.Nodes) Convert(node);
    }

    /// <summary>
    /// The channels-last form of an input of the region: the operand of its transpose, or else a new transpose before the region.
    /// </summary>
    private string InputInLast(string value)
    {
        if (view.Producer(value) is { } producer && AxisOrder.IsToFirst(producer)) return producer.Input[0];
        NodeProto first = view.Graph.Node.Find(node => region.Members.Contains(node) && node.Input.Contains(value))!;
        NodeProto[] known = [.. view.Consumers(value).Where(AxisOrder.IsToLast)];
        int position = view.Graph.Node.IndexOf(first);
        if (Array.Find(known, node => view.Graph.Node.IndexOf(node) < position) is { } earlier) return earlier.Output[0];
        string channelsLast = names.Next(value + "_channels_last");
        view.InsertBefore(
            first, AxisOrder.Transpose(value, channelsLast, AxisOrder.ToLast(region.Rank), names.Next(value + "_to_channels_last")));
        foreach (NodeProto later in known) Bypass(later, channelsLast);
        return channelsLast;
    }

    private void Convert(NodeProto node)
    {
        LayoutRule rule = LayoutRules.For(node)!;
        var converted = new NodeProto { OpType = node.OpType, Domain = node.Domain, Name = node.Name };
        converted.Input.AddRange(node.Input);
        converted.Attribute.AddRange(node.Attribute);
        foreach (int input in rule.DataInputs(node)) converted.Input[input] = _channelsLast[node.Input[input]];
        rule.ChangeLayout(converted, _change, view);
        int dataOutputs = rule.DataOutputs(node);
        foreach (string output in node.Output.Take(dataOutputs))
            converted.Output.Add(_channelsLast[output] = names.Next(output + "_channels_last"));
        converted.Output.AddRange(node.Output.Skip(dataOutputs));
        // The old node is removed first, so that its outputs have no producer when the transposes take them over.
        NodeProto[] toFirst = [.. node.Output.Take(dataOutputs).Where(IsReadOutside).Select(output =>
            AxisOrder.Transpose(_channelsLast[output], output, AxisOrder.ToFirst(region.Rank), names.Next(output + "_to_channels_first")))];
        view.Replace(node, [converted, .. toFirst]);
    }

    private bool IsReadOutside(string output)
    {
        foreach (NodeProto transpose in view.Consumers(output).Where(AxisOrder.IsToLast).ToArray())
            Bypass(transpose, _channelsLast[output]);
        return view.IsOutput(output) || view.Consumers(output).Any(consumer => !region.Members.Contains(consumer));
    }

    /// <summary>Redirects the consumers of a transpose to the value that is in its order already; a transpose that produces a graph output
    /// stays.</summary>
    private void Bypass(NodeProto transpose, string channelsLast)
    {
        if (view.IsOutput(transpose.Output[0])) return;
        view.ReplaceUses(transpose.Output[0], channelsLast);
        view.Remove(transpose);
    }
}
