using NestQuant.Compiler.Graph;
using NestQuant.Compiler.Onnx;
using NestQuant.Compiler.Pipeline;

namespace NestQuant.Passes.Folding;

/// <summary>
/// Evaluates subgraphs whose inputs are all constant, by ONNX Runtime itself, and keeps only their results.
/// <code>
/// s = Expand (c, shape); t = Where (mask, s, d); y = Op (x, t)
/// y = Op (x, t)                                  with initializer t
/// </code>
/// </summary>
/// <remarks>
/// Left alone: nodes with bodies, operators of other domains, random operators, quantization operators (folding them would undo a
/// quantization), and results so large that folding would only make the model bigger.
/// </remarks>
public sealed class ConstantFoldingPass : IGraphPass
{
    /// <summary>A result above this size is folded only where it is no larger than what it is made from.</summary>
    private const long LargeResultBytes = 1 << 20;

    private static readonly HashSet<string> NeverFolded = new(StringComparer.Ordinal)
    {
        "Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
        "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Constant",
    };

    /// <inheritdoc/>
    public string Name => "constant-folding";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool changed = false;
        foreach (GraphView view in GraphView.Of(context.Model.MainGraph()).WithInner()) changed |= Fold(view, context);
        return new PassResult(changed);
    }

    private bool Fold(GraphView view, ModelContext context)
    {
        var failures = new Dictionary<NodeProto, string>(ReferenceEqualityComparer.Instance);
        bool changed = false;
        Wave wave;
        do
        {
            wave = NextWave(view, failures);
            changed |= Fold(wave.Nodes, view, context, failures);
        }
        while (wave.Nodes.Count > 0);

        foreach ((NodeProto node, string reason) in wave.Kept) context.Decisions.Kept(Name, node.DisplayName(), node.OpType, reason);
        return changed;
    }

    private bool Fold(List<NodeProto> nodes, GraphView view, ModelContext context, Dictionary<NodeProto, string> failures)
    {
        if (nodes.Count == 0) return false;
        if (TryFold(nodes, view, context) is null) return true;
        // One node that ONNX Runtime refuses spoils the session for all: find it, and fold the others by themselves.
        bool changed = false;
        foreach (NodeProto node in nodes)
        {
            if (!node.Input.TrueForAll(input => input.Length == 0 || view.Constant(input) is not null)) continue;
            string? failure = TryFold([node], view, context);
            if (failure is not null) failures[node] = $"ONNX Runtime could not evaluate it: {failure}";
            changed |= failure is null;
        }

        return changed;
    }

    /// <summary>Replaces nodes by their results. Returns null, or why ONNX Runtime could not evaluate them.</summary>
    private string? TryFold(IReadOnlyList<NodeProto> nodes, GraphView view, ModelContext context)
    {
        var members = new HashSet<NodeProto>(nodes, ReferenceEqualityComparer.Instance);
        string[] results = [.. nodes.SelectMany(static node => node.Output).Where(value => IsNeededOutside(value, view, members))];
        IReadOnlyList<TensorProto> tensors;
        try
        {
            tensors = new ConstantEvaluator(context.Model).Evaluate(nodes, results, view);
        }
        catch (ModelException failure)
        {
            return failure.Message;
        }

        view.Remove(members);
        foreach (TensorProto tensor in tensors) view.AddInitializer(tensor);
        foreach (NodeProto node in nodes) context.Decisions.Rewritten(Name, node.DisplayName(), node.OpType);
        return null;
    }

    /// <summary>
    /// The nodes, in graph order, whose inputs are constants or results of nodes before them in the list. A node whose result's size is
    /// itself computed waits for the next wave, when the size is known.
    /// </summary>
    private static Wave NextWave(GraphView view, Dictionary<NodeProto, string> failures)
    {
        var constant = new HashSet<string>(StringComparer.Ordinal);
        var wave = new Wave();
        foreach (NodeProto node in view.Graph.Node)
        {
            string[] inputs = [.. node.Input.Where(static input => input.Length > 0)];
            if (inputs.Length == 0 || !inputs.All(input => constant.Contains(input) || IsFoldable(view.Constant(input)))) continue;
            if (!failures.TryGetValue(node, out string? reason)) reason = WhyKept(node, view);
            if (reason is not null)
            {
                wave.Kept.Add((node, reason));
            }
            else if (!ExpandedSize.DependsOnAny(node, constant))
            {
                wave.Nodes.Add(node);
                constant.UnionWith(node.Output);
            }
        }

        return wave;
    }

    private static bool IsFoldable(TensorProto? tensor) => tensor is not null && tensor.DataType != TensorDataType.String;

    private static string? WhyKept(NodeProto node, GraphView view)
    {
        if (!node.IsDefaultDomain()) return $"operators of domain '{node.Domain}' are not evaluated";
        if (NeverFolded.Contains(node.OpType)) return $"{node.OpType} is not folded";
        if (node.Subgraphs().Any()) return "nodes with bodies are not evaluated";
        if (node.Output.Exists(view.IsOutput)) return "its result is an output of the graph";
        long bytes = ExpandedSize.Estimate(node, view);
        return bytes > LargeResultBytes && bytes > node.Input.Sum(input => view.Constant(input)?.ByteCount ?? 0)
            ? $"its result of about {bytes} bytes would make the model bigger"
            : null;
    }

    private static bool IsNeededOutside(string value, GraphView view, HashSet<NodeProto> members) =>
        value.Length > 0 && view.Consumers(value).Any(consumer => !members.Contains(consumer));

    /// <summary>What can be evaluated in one session, and what cannot be evaluated at all.</summary>
    private sealed class Wave
    {
        public List<NodeProto> Nodes { get; } = [];

        public List<(NodeProto Node, string Reason)> Kept { get; } = [];
    }
}
