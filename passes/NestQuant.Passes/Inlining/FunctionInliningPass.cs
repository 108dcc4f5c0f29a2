using System.Globalization;
using NestQuant.Compiler.Pipeline;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Onnx.Validation;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Inlining;

/// <summary>
/// Puts the nodes of local functions that hold operators whose weights nest in the place of their calls, since a function has no constants
/// of its own.
/// <code>
/// y = local.Block (x, W)             Block (p, q) { r = MatMul (p, q); s = Relu (r) }
/// r = MatMul (x, W); y = Relu (r)
/// </code>
/// </summary>
/// <remarks>
/// ONNX Runtime inlines all calls itself. Functions without such operators stay, be they called from a function that goes: a graph with
/// calls is shorter. So do those that import another version of an operator set than the model, where what they mean and what ONNX Runtime
/// computes differ.
/// </remarks>
public sealed class FunctionInliningPass : IGraphPass
{
    /// <inheritdoc/>
    public string Name => "function-inlining";

    /// <inheritdoc/>
    public PassResult Run(ModelContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        ModelProto model = context.Model;
        if (model.Functions.Count == 0) return PassResult.Unchanged;
        var functions = new FunctionTable(model);
        var inlining = new Inlining(context, functions);
        inlining.Inline(model.MainGraph());
        if (inlining.Inlined.Count == 0) return PassResult.Unchanged;
        HashSet<FunctionProto> called = Called(model, functions);
        model.Functions.RemoveAll(function => inlining.Inlined.Contains(function) && !called.Contains(function));
        return new PassResult(Changed: true);
    }

    /// <summary>The functions that the main graph calls, itself or through functions.</summary>
    private static HashSet<FunctionProto> Called(ModelProto model, FunctionTable functions)
    {
        var called = new HashSet<FunctionProto>(ReferenceEqualityComparer.Instance);
        var pending = new Stack<FunctionProto>(Callees(model.MainGraph().Node));
        while (pending.TryPop(out FunctionProto? function))
            if (called.Add(function)) foreach (FunctionProto callee in Callees(function.Node)) pending.Push(callee);
        return called;

        IEnumerable<FunctionProto> Callees(List<NodeProto> nodes) =>
            GraphTraversal.AllNodes(nodes).Select(functions.Called).OfType<FunctionProto>();
    }

    /// <summary>One run of the pass.</summary>
    private sealed class Inlining(ModelContext context, FunctionTable functions)
    {
        private const string PassName = "function-inlining";

        private readonly UniqueNames _names = new(context.Model);
        private readonly Dictionary<FunctionProto, bool> _holds = new(ReferenceEqualityComparer.Instance);

        /// <summary>The functions that calls were replaced of.</summary>
        public HashSet<FunctionProto> Inlined { get; } = new(ReferenceEqualityComparer.Instance);

        public void Inline(GraphProto graph)
        {
            var nodes = new List<NodeProto>();
            foreach (NodeProto node in graph.Node) Inline(node, nodes);
            graph.Node.Clear();
            graph.Node.AddRange(nodes);
        }

        private void Inline(NodeProto node, List<NodeProto> nodes)
        {
            foreach (GraphProto subgraph in node.Subgraphs()) Inline(subgraph);
            if (functions.Called(node) is not { } function || !Holds(function))
            {
                nodes.Add(node);
            }
            else if (WhyKept(node, function) is { } reason)
            {
                context.Decisions.Kept(PassName, node.DisplayName(), node.OpType, reason);
                nodes.Add(node);
            }
            else
            {
                ImportOperatorSets(function);
                Inlined.Add(function);
                List<NodeProto> body = InlinedCall.Of(node, function, _names);
                Verify(node, body);
                context.Decisions.Rewritten(
                    PassName, node.DisplayName(), node.OpType,
                    note: string.Create(CultureInfo.InvariantCulture, $"{body.Count} nodes in its place"));
                foreach (NodeProto inner in body) Inline(inner, nodes);
            }
        }

        /// <summary>Fails where a call leaves out what an operator of its function needs, which only the nodes in its place show.</summary>
        private void Verify(NodeProto call, List<NodeProto> body)
        {
            try
            {
                foreach (NodeProto node in body) OperatorSignatures.Of(node, context.Model.OpsetVersion())?.Verify(node);
            }
            catch (ModelException e)
            {
                throw new ModelException($"call '{call.DisplayName()}' of function '{call.OpType}': {e.Message}", e);
            }
        }

        /// <summary>
        /// Whether a function holds operators whose weights nest, itself or through functions that it calls, which validation has found to
        /// be few levels deep.
        /// </summary>
        private bool Holds(FunctionProto function)
        {
            if (_holds.TryGetValue(function, out bool known)) return known;
            return _holds[function] = GraphTraversal.AllNodes(function.Node)
                .Any(node => functions.Called(node) is { } callee ? Holds(callee) : WeightOperators.Include(node));
        }

        private string? WhyKept(NodeProto call, FunctionProto function)
        {
            if (call.Subgraphs().Any()) return "it gives its function a subgraph";
            if (function.Input.Contains("") || function.Output.Contains(""))
                return $"function '{function.Name}' has an input or output without a name";
            return function.OpsetImport.Find(IsOther) is { } other
                ? $"function '{function.Name}' imports version {other.Version} of the operator set '{other.Domain}', and the model "
                    + $"{VersionOf(other.Domain)}"
                : null;
        }

        private bool IsOther(OperatorSetIdProto import) => VersionOf(import.Domain) is { } version && version != import.Version;

        private long? VersionOf(string? domain) => domain is null or "" or "ai.onnx"
            ? context.Model.OpsetVersion()
            : context.Model.OpsetImport.Find(import => import.Domain == domain)?.Version;

        private void ImportOperatorSets(FunctionProto function)
        {
            foreach (OperatorSetIdProto import in function.OpsetImport.Where(import => VersionOf(import.Domain) is null))
                context.Model.OpsetImport.Add(new OperatorSetIdProto { Domain = import.Domain, Version = import.Version });
        }
    }
}
