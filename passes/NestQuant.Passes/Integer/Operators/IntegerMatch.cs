using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Operators;

/// <summary>A float node whose results are all quantized directly and not read by anything else.</summary>
/// <param name="Node">The float node.</param>
/// <param name="Activation">The Relu or Clip between the node and the QuantizeLinear; null where there is none.</param>
/// <param name="Results">For every result that is used, its index and the QuantizeLinear that reads it, an activation in between
/// included.</param>
/// <param name="Clamp">Bounds that a Relu or Clip between node and QuantizeLinear puts on the integers.</param>
/// <param name="Graph">The graph.</param>
/// <param name="Ranks">Ranks of its values.</param>
/// <param name="Tables">Where tables are made.</param>
internal sealed record IntegerMatch(
    NodeProto Node, NodeProto? Activation, IReadOnlyList<QuantizedResult> Results, QuantizedClamp Clamp, QuantizedGraph Graph,
    ValueRanks Ranks, LookupTables Tables)
{
    /// <summary>Looks at a node with a quantized result.</summary>
    /// <param name="node">The float node.</param>
    /// <param name="activation">The Relu or Clip between the node and the QuantizeLinear; null where there is none.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="ranks">Ranks of its values.</param>
    /// <param name="tables">Where tables are made.</param>
    /// <param name="match">The match, when the result is null.</param>
    /// <returns>Why the node stays float, or null.</returns>
    public static string? Find(
        NodeProto node, NodeProto? activation, QuantizedGraph graph, ValueRanks ranks, LookupTables tables, out IntegerMatch? match)
    {
        match = null;
        if (IntegerOperators.For(node) is null)
            return PointwiseFunctions.Is(node)
                ? "it is not a function of one quantized tensor alone"
                : $"{node.OpType} has no integer form";
        if (activation is not null && graph.WhyNeededInFloat(node.Output[0], activation) is { } reason) return reason;
        var results = new List<QuantizedResult>();
        for (int i = 0; i < node.Output.Count; i++)
        {
            string output = (activation ?? node).Output[i];
            if (graph.View.Consumers(output).Count == 0 && !graph.View.IsOutput(output)) continue;
            NodeProto? quantizer = graph.View.Consumers(output).FirstOrDefault(consumer => graph.Quantizer(consumer) is not null);
            if (quantizer is null) return $"its result '{output}' is not quantized";
            if (graph.WhyNeededInFloat(output, quantizer) is { } needed) return needed;
            results.Add(new QuantizedResult(i, quantizer, graph.Quantizer(quantizer)!));
        }

        QuantizedClamp clamp = QuantizedClamp.None;
        if (activation is not null)
        {
            if (QuantizedClamp.Of(activation, results[0].Parameters, graph.View) is not { } bounds)
                return $"the bounds of '{activation.DisplayName()}' are not constant";
            clamp = bounds;
        }

        match = new IntegerMatch(node, activation, results, clamp, graph, ranks, tables);
        return null;
    }

    /// <summary>The only result of a node that has one.</summary>
    public QuantizedResult Result => Results[0];

    /// <summary>Whether an operand is constant.</summary>
    public bool HasConstant => Node.Input.Exists(input => Graph.View.Constant(input) is not null);

    /// <summary>The uint8 form of an input; null where the input is not a dequantized one.</summary>
    public QuantizedValue? Source(int input) => Graph.Source(Node.InputAt(input));

    /// <summary>The reason for an input that is not quantized.</summary>
    public string WhyNoSource(int input) => Graph.View.Constant(Node.InputAt(input)) is { } constant
        ? $"its operand '{constant.Name}' is a float constant of {constant.ElementCount} values"
        : $"its input '{Node.InputAt(input)}' is not quantized";

    /// <summary>Replaces the node, the activation that bounds its result, and the QuantizeLinear nodes by the integer form.</summary>
    /// <param name="nodes">The new nodes, in order, which together make every quantized result under its own name.</param>
    public void Emit(params ReadOnlySpan<NodeProto> nodes)
    {
        var replaced = Results.Select(static result => result.Quantizer).ToHashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        if (Activation is not null) replaced.Add(Activation);
        Graph.View.Remove(replaced);
        Graph.View.Replace(Node, nodes);
    }

    /// <summary>
    /// Inserts an integer node with one result, followed by the bounds of <see cref="Clamp"/> where saturation alone does not enforce them.
    /// </summary>
    /// <param name="node">The node; its output is still to be named.</param>
    public void EmitClamped(NodeProto node)
    {
        string output = Result.Quantizer.Output[0];
        if (Clamp.IsSaturation)
        {
            node.Output.Add(output);
            Emit(node);
            return;
        }

        string unbounded = Graph.Names.Next(output + "_unbounded");
        node.Output.Add(unbounded);
        var table = new byte[PointwiseValue.TableLength];
        for (int q = 0; q < table.Length; q++) table[q] = (byte)Math.Clamp(q, Clamp.Min, Clamp.Max);
        Emit(node, Tables.Lookup(unbounded, output, table, "", Graph.Names.Next(output + "_clamp")));
    }
}

/// <summary>A result of a float node and how it is quantized.</summary>
/// <param name="Output">Index among the node's outputs.</param>
/// <param name="Quantizer">The QuantizeLinear.</param>
/// <param name="Parameters">Its parameters.</param>
internal sealed record QuantizedResult(int Output, NodeProto Quantizer, QuantizationParameters Parameters);
