using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Integer.Operators;
using NestQuant.Passes.Integer.Values;
using NestQuant.Passes.Operators;
using NestQuant.RuntimeOps;

namespace NestQuant.Passes.Integer;

/// <summary>
/// Turns float operators between DequantizeLinear and QuantizeLinear into operators on uint8.
/// <code>
/// x = DequantizeLinear (q); y = QuantizeLinear (Add (x, DequantizeLinear (r)))          y = QuantizeLinear (Mul (x, Sigmoid (x)))
/// y = com.microsoft.QLinearAdd (q, ..., r, ..., y_scale, y_zero_point)                  y = com.nestquant.QLinearLookup (q, table)
/// </code>
/// </summary>
/// <remarks>
/// A function that computes every element from one quantized element, by any number of nodes, becomes a table of 256 results; other
/// operators have a rule in <see cref="IntegerOperators"/>. An operator whose float result is also read by anything but QuantizeLinear
/// stays float. Every float operator that is left after a DequantizeLinear or before a QuantizeLinear gets a decision with the reason.
/// </remarks>
public sealed class IntegerOperatorPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "integer-operators";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var names = new UniqueNames(context.Model);
        bool changed = false;
        while (true)
        {
            var reasons = new Dictionary<NodeProto, string>(ReferenceEqualityComparer.Instance);
            bool again = false;
            foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
                again |= RewriteGraph(new QuantizedGraph(context.Model, view, names), context, reasons);
            if (!again)
            {
                LogKept(context, names, reasons);
                return new PassResult(changed);
            }

            // A rewritten node no longer reads its float operands, which may then have no other float consumer.
            DeadCode.Remove(context.Model.MainGraph());
            changed = true;
        }
    }

    private bool RewriteGraph(QuantizedGraph graph, ModelContext context, Dictionary<NodeProto, string> reasons)
    {
        GraphView view = graph.View;
        var ranks = new ValueRanks(view);
        var sweep = new PointwiseSweep(graph, ranks);
        var tables = new LookupTables(graph);
        bool changed = graph.ShareQuantizers();
        var logged = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        foreach (NodeProto node in view.Graph.Node.ToArray())
        {
            sweep.Visit(node);
            if (ReadsOnlyTheShape(node) && graph.Source(node.InputAt(0)) is { } dequantized)
            {
                view.SetInput(node, 0, dequantized.Name);
                changed = true;
            }

            bool isOpen = graph.Quantizer(node) is not null && ReferenceEquals(view.Producer(node.Output[0]), node);
            if (!isOpen) continue;
            IReadOnlyList<NodeProto>? rewritten = Tabulate(node, graph, sweep, tables) ?? ApplyRule(node, graph, ranks, tables, reasons);
            if (rewritten is null) continue;
            foreach (NodeProto done in rewritten.Where(logged.Add)) context.Decisions.Rewritten(Name, done.DisplayName(), done.OpType);
            changed = true;
        }

        return changed;
    }

    private static bool ReadsOnlyTheShape(NodeProto node) => node.Is("Shape") || node.Is("Size");

    /// <summary>
    /// Replaces a QuantizeLinear by a table. Returns the nodes of the function, or null where the QuantizeLinear's input is not a function
    /// of one tensor.
    /// </summary>
    private static IReadOnlyList<NodeProto>? Tabulate(NodeProto quantizer, QuantizedGraph graph, PointwiseSweep sweep, LookupTables tables)
    {
        if (sweep.Of(quantizer.Input[0]) is not { } function || function.Quantize(graph.Quantizer(quantizer)!) is not { } integers)
            return null;
        string output = quantizer.Output[0], source = function.Source.Name;
        IReadOnlyList<NodeProto> rewritten = function.Nodes.Count > 0 ? function.Nodes : [quantizer];
        if (LookupTables.IsIdentity(integers) && !graph.View.IsOutput(output))
        {
            graph.View.ReplaceUses(output, source);
            graph.View.Remove(quantizer);
            return rewritten;
        }

        // Where nothing else reads the function's result, the table takes the position and the name of the node that computes it.
        NodeProto last = rewritten[^1];
        if (function.Nodes.Count > 0 && graph.WhyNeededInFloat(quantizer.Input[0], quantizer) is null) graph.View.Remove(last);
        graph.View.Replace(quantizer, tables.Lookup(source, output, integers, function.Function, last.Name));
        sweep.Add(output, new PointwiseTable(function, integers));
        return rewritten;
    }

    /// <summary>
    /// Applies the rule of the operator before a QuantizeLinear. Returns the nodes that it replaced; null where they stay, with the reason
    /// recorded.
    /// </summary>
    private static IReadOnlyList<NodeProto>? ApplyRule(
        NodeProto quantizer, QuantizedGraph graph, ValueRanks ranks, LookupTables tables, Dictionary<NodeProto, string> reasons)
    {
        if (graph.View.Producer(quantizer.Input[0]) is not { } node || node.Domain == NestQuantOps.Domain) return null;
        NodeProto? activation = null;
        if (QuantizedClamp.IsCandidate(node)
            && graph.View.Producer(node.InputAt(0)) is { } bounded
            && bounded.Output.Count == 1
            && IntegerOperators.For(bounded) is not null)
            (node, activation) = (bounded, node);
        string? reason = IntegerMatch.Find(node, activation, graph, ranks, tables, out IntegerMatch? match)
            ?? IntegerOperators.For(node)!(match!);
        if (reason is null) return activation is null ? [node] : [node, activation];
        reasons[node] = reason;
        if (activation is not null) reasons[activation] = $"{node.OpType} '{node.DisplayName()}' before it stays float";
        return null;
    }

    private void LogKept(ModelContext context, UniqueNames names, Dictionary<NodeProto, string> reasons)
    {
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner())
        {
            var graph = new QuantizedGraph(context.Model, view, names);
            foreach (NodeProto node in view.Graph.Node)
            {
                if (node.Domain == NestQuantOps.Domain
                    || node.Is("DequantizeLinear")
                    || node.Is("QuantizeLinear")
                    || IsOfTheNesting(node, view))
                    continue;
                bool isNeighbour = node.Input.Exists(input => graph.Source(input) is not null)
                    || node.Output.Exists(output => view.Consumers(output).Any(consumer => graph.Quantizer(consumer) is not null));
                if (isNeighbour)
                    context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reasons.GetValueOrDefault(node) ?? WhyFloat(node));
            }
        }
    }

    /// <summary>Whether a node is the transpose after a nested operator, which the source model does not have.</summary>
    private static bool IsOfTheNesting(NodeProto node, GraphView view) =>
        node.Is("Transpose") && view.Producer(node.InputAt(0)) is { Domain: NestQuantOps.Domain };

    private static string WhyFloat(NodeProto node) =>
        IntegerOperators.For(node) is not null || PointwiseFunctions.Is(node)
            ? "its result is not quantized"
            : $"{node.OpType} has no integer form";
}
