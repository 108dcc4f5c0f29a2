using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.HalfPrecision;

namespace NestQuant.Passes.Folding;

/// <summary>
/// Evaluates nodes whose inputs are all constant in ONNX Runtime, and keeps only their results.
/// <code>
/// s = Expand (c, shape); t = Where (mask, s, d); y = Op (x, t)
/// y = Op (x, t)                                  with initializer t
/// </code>
/// </summary>
/// <remarks>
/// Left alone: nodes with subgraphs, operators of other domains, random operators, quantization operators (folding them would undo a
/// quantization), results whose size is not known before they are computed, and expansions of constants that would make the model bigger
/// (see <see cref="FoldingBalance"/>).
/// </remarks>
public sealed class ConstantFoldingPass : IGraphPass
{
    private static readonly HashSet<string> NeverFolded = new(StringComparer.Ordinal)
    {
        "Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
        "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Constant",
    };

    private readonly TimeProvider _clock;

    /// <summary>A pass that ends after minutes of folding with an error.</summary>
    public ConstantFoldingPass()
        : this(TimeProvider.System)
    {
    }

    /// <summary>A pass by a given clock.</summary>
    internal ConstantFoldingPass(TimeProvider clock) => _clock = clock;

    /// <inheritdoc/>
    public string Name => "constant-folding";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var limits = new FoldingLimits(context.Model, _clock);
        FoldedGraph[] graphs = [.. GraphView.Of(context.Model.MainGraph()).WithInner().Select(static view => new FoldedGraph(view))];
        foreach (FoldedGraph graph in graphs) Fold(graph, context, limits);
        FoldingBalance.Restore(graphs);
        foreach (FoldedGraph graph in graphs) graph.Log(Name, context.Decisions);
        return new PassResult(graphs.Any(static graph => graph.Folded.Any(node => !graph.Kept.ContainsKey(node))));
    }

    private static void Fold(FoldedGraph graph, ModelContext context, FoldingLimits limits)
    {
        (GraphView view, Dictionary<NodeProto, string> kept) = (graph.View, graph.Kept);
        while (Candidates(view, kept) is { Count: > 0 } candidates)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            if (TryFold(candidates, view, context.Model, limits, kept)) continue;
            // One node that ONNX Runtime rejects makes the session fail for all: fold the nodes one by one to find it.
            foreach (NodeProto node in candidates)
                if (!kept.ContainsKey(node) && IsOverConstants(node, view)) TryFold([node], view, context.Model, limits, kept);
        }

        graph.Complete();
    }

    /// <summary>
    /// Replaces the candidates within the limits by their results, and records a reason for the others. Returns false when ONNX Runtime
    /// could not evaluate them all.
    /// </summary>
    private static bool TryFold(
        List<NodeProto> candidates, GraphView view, ModelProto model, FoldingLimits limits, Dictionary<NodeProto, string> kept)
    {
        try
        {
            var evaluator = new ConstantEvaluator(model);
            IReadOnlyDictionary<string, ValueInfoProto> shapes = evaluator.Infer(candidates, view);
            List<NodeProto> nodes = Bounded(candidates, shapes, view, limits, kept);
            if (nodes.Count == 0) return true;
            var members = new HashSet<NodeProto>(nodes, ReferenceEqualityComparer.Instance);
            string[] results = [.. nodes.SelectMany(static node => node.Output).Where(value => IsNeededOutside(value, view, members))];
            IReadOnlyList<TensorProto> tensors = evaluator.Evaluate(nodes, results, view, shapes, limits.TimeLeft);
            view.Remove(members);
            foreach (TensorProto tensor in tensors) view.AddInitializer(tensor);
            limits.Take(nodes.Sum(node => BytesMade(node, shapes)));
            return true;
        }
        catch (TimeoutException failure)
        {
            throw new ModelException(
                $"node '{candidates[0].DisplayName()}' ({candidates[0].OpType}) and others over constants take minutes to evaluate;"
                    + " store their results in the model instead",
                failure);
        }
        catch (ModelException failure)
        {
            if (candidates is [var only]) kept[only] = $"ONNX Runtime could not evaluate it: {failure.Message}";
            return false;
        }
    }

    /// <summary>The nodes, in graph order, whose inputs are constants or results of nodes before them in the list.</summary>
    private static List<NodeProto> Candidates(GraphView view, Dictionary<NodeProto, string> kept)
    {
        var constant = new HashSet<string>(StringComparer.Ordinal);
        var candidates = new List<NodeProto>();
        foreach (NodeProto node in view.Graph.Node)
        {
            string[] inputs = [.. node.Input.Where(static input => input.Length > 0)];
            if (kept.ContainsKey(node)
                || inputs.Length == 0
                || !inputs.All(input => constant.Contains(input) || IsFoldable(view.Constant(input))))
                continue;
            if (WhyKept(node, view) is { } reason)
            {
                kept.Add(node, reason);
                continue;
            }

            candidates.Add(node);
            constant.UnionWith(node.Output);
        }

        return candidates;
    }

    /// <summary>
    /// The candidates whose results are known to be within the limits. A node whose result size depends on another candidate waits until
    /// that candidate is a constant.
    /// </summary>
    private static List<NodeProto> Bounded(
        List<NodeProto> candidates, IReadOnlyDictionary<string, ValueInfoProto> shapes, GraphView view, FoldingLimits limits,
        Dictionary<NodeProto, string> kept)
    {
        var bounded = new List<NodeProto>();
        var made = new Dictionary<string, long>(StringComparer.Ordinal);
        long total = 0;
        foreach (NodeProto node in candidates)
        {
            string[] inputs = [.. node.Input.Where(static input => input.Length > 0).Distinct(StringComparer.Ordinal)];
            if (!inputs.All(input => made.ContainsKey(input) || view.Constant(input) is not null)) continue;
            if (!node.Output.TrueForAll(output => output.Length == 0 || shapes.ContainsKey(output)))
            {
                if (IsOverConstants(node, view)) kept.Add(node, "the size of its result is not known before it is computed");
                continue;
            }

            long bytes = BytesMade(node, shapes);
            long read = inputs.Sum(input => made.TryGetValue(input, out long size) ? size : view.Constant(input)!.ByteCount);
            if (limits.Objection(bytes, read, total) is { } objection)
            {
                kept.Add(node, objection);
                continue;
            }

            if (bounded.Count > 0 && bytes > limits.SessionBytes - total) break;
            bounded.Add(node);
            total += bytes;
            foreach (string output in node.Output.Where(static output => output.Length > 0))
                made.Add(output, FoldingLimits.Bytes(shapes[output]));
        }

        return bounded;
    }

    private static long BytesMade(NodeProto node, IReadOnlyDictionary<string, ValueInfoProto> shapes) =>
        node.Output.Where(static output => output.Length > 0).Sum(output => FoldingLimits.Bytes(shapes[output]));

    private static bool IsOverConstants(NodeProto node, GraphView view) =>
        node.Input.TrueForAll(input => input.Length == 0 || view.Constant(input) is not null);

    private static bool IsFoldable(TensorProto? tensor) => tensor is not null && tensor.DataType != TensorDataType.String;

    private static string? WhyKept(NodeProto node, GraphView view)
    {
        if (!node.IsDefaultDomain()) return $"operators of domain '{node.Domain}' are not evaluated";
        if (NeverFolded.Contains(node.OpType)) return $"{node.OpType} is not folded";
        if (node.Subgraphs().Any()) return "nodes with subgraphs are not evaluated";
        if (node.Output.Exists(view.IsOutput)) return "its result is an output of the graph";
        if (HalfStoragePass.IsStored(node, view)) return "its result would take twice the bytes; ONNX Runtime computes it when it loads";
        return null;
    }

    private static bool IsNeededOutside(string value, GraphView view, HashSet<NodeProto> members) =>
        value.Length > 0 && view.Consumers(value).Any(consumer => !members.Contains(consumer));
}
