using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer;
using NestQuant.Passes.Integer.Layout;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Export;

/// <summary>
/// Nodes that are standard operators already: those on bytes get float tensors between DequantizeLinear and QuantizeLinear, and those on
/// channels-last tensors get channels-first ones.
/// </summary>
internal static class StandardExport
{
    /// <summary>Writes what stands for the node.</summary>
    public static void Copy(NodeProto node, ExportedGraph graph)
    {
        if (TryAlias(node, graph)) return;
        var copy = new NodeProto { OpType = node.OpType, Domain = node.Domain, Name = node.Name };
        copy.Attribute.AddRange(node.Attribute);
        copy.Input.AddRange(node.Input);
        LayoutRule? rule = LayoutRules.For(node);
        int rank = rule is null ? 0 : TurnedRank(node, rule, graph);
        if (rank > 0) rule!.ChangeLayout(copy, new LayoutChange(rank, toLast: false, graph.Context.Add), graph.View);
        for (int i = 0; i < copy.Input.Count; i++)
        {
            if (copy.Input[i] != node.InputAt(i) || copy.Input[i].Length == 0) continue;
            bool isTurned = rank > 0 && rule!.DataInputs(node).Contains(i) && graph.Value(node.Input[i]).IsTurned;
            copy.Input[i] = isTurned
                ? graph.Value(node.Input[i]).Name
                : i == 0 && ReadsChannelsOnly(node, graph) ? graph.Value(node.Input[0]).Name
                : graph.AsCompiled(node.Input[i]);
        }

        int turnedOutputs = rank > 0 ? rule!.DataOutputs(node) : 0;
        ExportedParameters? parameters = ExportRules.MovesBytes(node) ? graph.Parameters(node.Input[0]) : null;
        if (parameters is { } bytes) Move(node, copy, graph, bytes, rank);
        else
        {
            for (int i = 0; i < node.Output.Count; i++)
                copy.Output.Add(node.Output[i].Length == 0 ? "" : graph.Define(node.Output[i], i < turnedOutputs ? rank : 0));
            graph.Add(copy);
        }

        if (node.Is("QuantizeLinear") && node.Input.Count > 2) graph.SetParameters(node.Output[0], graph.ParametersAt(node, 1));
        if (node.Is("DynamicQuantizeLinear"))
            graph.SetParameters(node.Output[0], new ExportedParameters(graph.AsCompiled(node.Output[1]), graph.AsCompiled(node.Output[2])));
    }

    /// <summary>Transposes between the two orders of axes, and their borders, need no node: one form stands for the other.</summary>
    private static bool TryAlias(NodeProto node, ExportedGraph graph)
    {
        if (TransposeBoundaryPass.IsBoundary(node))
        {
            graph.Alias(node.Output[0], graph.Value(node.Input[0]));
            return true;
        }

        bool isTranspose = node.Is("Transpose"), isReshape = node.Is("Reshape");
        if (!isTranspose && !isReshape) return false;
        string input = node.Input[0], output = node.Output[0];
        ExportedValue x = graph.Value(input);
        UnitExtent from = graph.Extents.Of(input), to = graph.Extents.Of(output);
        // The compiler writes a transpose that moves nothing, since there are no spatial extents, as a Reshape.
        bool toFirst = isTranspose ? AxisOrder.IsToFirst(node) : from == UnitExtent.ChannelsLast && to == UnitExtent.ChannelsFirst;
        bool toLast = isTranspose ? AxisOrder.IsToLast(node) : from == UnitExtent.ChannelsFirst && to == UnitExtent.ChannelsLast;
        int rank = isTranspose ? node.GetInts("perm")?.Length ?? 0 : (int)(graph.View.Constant(node.InputAt(1))?.ElementCount ?? 0);
        bool isAlias = x.IsTurned ? toFirst && x.ChannelsLastRank == rank : toLast && !graph.View.IsOutput(output);
        if (!isAlias) return false;
        graph.Alias(output, x.IsTurned ? new ExportedValue(x.Name) : new ExportedValue(x.Name, rank));
        if (graph.Parameters(input) is { } parameters) graph.SetParameters(output, parameters);
        return true;
    }

    /// <summary>
    /// The rank of a node's channels-last operands; 0 where one of them is not, and is no constant of one element, or where the node cannot
    /// be turned.
    /// </summary>
    private static int TurnedRank(NodeProto node, LayoutRule rule, ExportedGraph graph)
    {
        if (!rule.KeepsOperator) return 0;
        int rank = 0;
        foreach (int input in rule.DataInputs(node))
        {
            ExportedValue value = graph.Value(node.InputAt(input));
            if (value.IsTurned) rank = value.ChannelsLastRank;
            else if (ScalarConstant.Float(graph.View, node.InputAt(input)) is null) return 0;
        }

        return rank > 0 && rule.Applies(node, rank, graph.View) ? rank : 0;
    }

    /// <summary>
    /// Whether a node takes the channels of a tensor without spatial extents, so that the order of its axes does not matter.
    /// </summary>
    private static bool ReadsChannelsOnly(NodeProto node, ExportedGraph graph)
    {
        if (!graph.Value(node.Input[0]).IsTurned || graph.Extents.Of(node.Input[0]) != UnitExtent.ChannelsLast) return false;
        if (node.Is("Flatten")) return node.GetInt("axis", 1) == 1;
        return node.Is("Reshape") && ConstantAxes.Integers(node, 1, graph.View) is { Length: > 0 } shape && !shape.AsSpan(1).Contains(0);
    }

    /// <summary>Whether bytes are padded with the integer for 0, which is Pad's own default.</summary>
    private static bool IsZeroPoint(string padding, ExportedParameters parameters, ExportedGraph graph) =>
        graph.View.Constant(padding) is { } value && graph.View.Constant(parameters.ZeroPoint) is { } zeroPoint
        && value.GetBytes().Span.SequenceEqual(zeroPoint.GetBytes().Span);

    private static void Move(NodeProto node, NodeProto copy, ExportedGraph graph, ExportedParameters parameters, int rank)
    {
        int data = node.Is("Concat") ? copy.Input.Count : 1;
        for (int i = 0; i < data; i++) copy.Input[i] = graph.Dequantize(copy.Input[i], parameters);
        if (node.Is("Pad") && node.InputAt(2) is { Length: > 0 } padding)
            copy.Input[2] = IsZeroPoint(padding, parameters, graph) ? "" : graph.Dequantize(copy.Input[2], parameters);
        while (copy.Input.Count > 0 && copy.Input[^1].Length == 0) copy.Input.RemoveAt(copy.Input.Count - 1);
        foreach (string output in node.Output) copy.Output.Add(output.Length == 0 ? "" : graph.Step(output));
        graph.Add(copy);
        for (int i = 0; i < node.Output.Count; i++)
            if (node.Output[i].Length > 0) graph.Quantize(copy.Output[i], node.Output[i], parameters, rank);
    }
}
