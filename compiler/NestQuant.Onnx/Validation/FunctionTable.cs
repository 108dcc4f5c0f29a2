using System.Globalization;
using NestQuant.Onnx.Graph;

namespace NestQuant.Onnx.Validation;

/// <summary>
/// The local functions of a model: each defined once, none calling itself, and a bounded number of nodes when all calls are inlined.
/// </summary>
internal sealed class FunctionTable
{
    /// <summary>
    /// Most nodes after inlining. Runtimes inline every call, so a few functions that each call the next one twice would exhaust memory.
    /// </summary>
    private const long MaxInlinedNodes = 1 << 18;

    /// <summary>Deepest nesting of calls; runtimes inline them recursively.</summary>
    private const int MaxDepth = 100;

    private readonly Dictionary<(string, string, string), FunctionProto> _functions = [];

    /// <summary>Collects the functions of a model.</summary>
    /// <exception cref="ModelException">The functions break a rule of the summary.</exception>
    public FunctionTable(ModelProto model)
    {
        foreach (FunctionProto function in model.Functions)
            if (!_functions.TryAdd((Domain(function.Domain), function.Name, function.Overload ?? ""), function))
                throw new ModelException($"function '{function.Name}' of domain '{function.Domain}' is defined twice");
        if (_functions.Count > 0) VerifyCalls(model);
    }

    /// <summary>The function that a node calls; null for an operator.</summary>
    public FunctionProto? Called(NodeProto node) =>
        _functions.Count == 0 ? null : _functions.GetValueOrDefault((Domain(node.Domain), node.OpType, node.Overload ?? ""));

    private static string Domain(string domain) => domain == "ai.onnx" ? "" : domain;

    private void VerifyCalls(ModelProto model)
    {
        Dictionary<FunctionProto, List<FunctionProto>> callees = model.Functions.ToDictionary(
            static function => function, function => Calls(function.Node));
        var sizes = new Dictionary<FunctionProto, Extent>();
        foreach (FunctionProto function in CalleesFirst(callees))
            sizes.Add(function, Inlined(GraphTraversal.AllNodes(function.Node).LongCount(), callees[function], sizes));

        Extent all = Inlined(0, Calls(model.MainGraph().Node), sizes);
        if (all.Nodes > MaxInlinedNodes || all.Depth > MaxDepth)
        {
            throw new ModelException(string.Create(
                CultureInfo.InvariantCulture,
                $"the calls of local functions expand to more than {MaxInlinedNodes} nodes or nest deeper than {MaxDepth}, "
                    + $"which no runtime could inline"));
        }
    }

    private static Extent Inlined(long nodes, List<FunctionProto> callees, Dictionary<FunctionProto, Extent> sizes)
    {
        int depth = 0;
        foreach (FunctionProto callee in callees)
        {
            nodes = Math.Min(nodes + sizes[callee].Nodes, MaxInlinedNodes + 1);
            depth = Math.Max(depth, sizes[callee].Depth);
        }

        return new Extent(nodes, depth + 1);
    }

    private static List<FunctionProto> CalleesFirst(Dictionary<FunctionProto, List<FunctionProto>> callees)
    {
        var waiting = callees.ToDictionary(static entry => entry.Key, static entry => entry.Value.Count);
        ILookup<FunctionProto, FunctionProto> callers = callees
            .SelectMany(static entry => entry.Value.Select(callee => (Callee: callee, Caller: entry.Key)))
            .ToLookup(static call => call.Callee, static call => call.Caller);
        List<FunctionProto> ordered = [.. callees.Keys.Where(function => waiting[function] == 0)];
        for (int i = 0; i < ordered.Count; i++)
            foreach (FunctionProto caller in callers[ordered[i]])
                if (--waiting[caller] == 0) ordered.Add(caller);

        return ordered.Count == callees.Count
            ? ordered
            : throw new ModelException(
                $"function '{callees.Keys.First(function => waiting[function] > 0).Name}' calls itself, directly or through others");
    }

    private List<FunctionProto> Calls(IEnumerable<NodeProto> nodes) =>
        [.. GraphTraversal.AllNodes(nodes).Select(Called).OfType<FunctionProto>()];

    /// <summary>The size of a function after its calls are inlined.</summary>
    private readonly record struct Extent(long Nodes, int Depth);
}
