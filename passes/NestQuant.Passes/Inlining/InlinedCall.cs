using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.Inlining;

/// <summary>The nodes of a local function in the place of a call, with names of their own and the attributes of the call.</summary>
internal sealed class InlinedCall
{
    /// <summary>Longer names are cut: every call repeats those of its function.</summary>
    private const int LongestPart = 100;

    private readonly NodeProto _call;
    private readonly FunctionProto _function;
    private readonly UniqueNames _names;

    private InlinedCall(NodeProto call, FunctionProto function, UniqueNames names)
    {
        _call = call;
        _function = function;
        _names = names;
    }

    /// <summary>Makes the nodes.</summary>
    /// <param name="call">The call.</param>
    /// <param name="function">The function that it calls; it stays as it is.</param>
    /// <param name="names">Free names.</param>
    public static List<NodeProto> Of(NodeProto call, FunctionProto function, UniqueNames names) =>
        new InlinedCall(call, Copy(function), names).Nodes();

    private static FunctionProto Copy(FunctionProto function)
    {
        var model = new ModelProto();
        model.Functions.Add(function);
        return model.Clone().Functions[0];
    }

    private List<NodeProto> Nodes()
    {
        var actual = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int i = 0; i < _function.Input.Count; i++) actual[_function.Input[i]] = _call.InputAt(i);
        var produced = _function.Node.SelectMany(static node => node.Output).ToHashSet(StringComparer.Ordinal);
        var copies = new List<(string Formal, string Actual)>();
        foreach ((string formal, string result) in _function.Output.Zip(_call.Output).Where(static output => output.Second.Length > 0))
            if (!produced.Contains(formal) || !actual.TryAdd(formal, result)) copies.Add((formal, result));

        Rename(_function.Node, actual);
        foreach ((string formal, string result) in copies) _function.Node.Add(Identity(actual[formal], result));
        return _function.Node;
    }

    private void Rename(List<NodeProto> nodes, Dictionary<string, string> actual)
    {
        foreach (NodeProto node in nodes)
        {
            if (node.Name.Length > 0) node.Name = Own(node.Name);
            for (int i = 0; i < node.Input.Count; i++) node.Input[i] = actual.GetValueOrDefault(node.Input[i], "");
            foreach (GraphProto subgraph in node.Subgraphs()) Rename(subgraph, new Dictionary<string, string>(actual, actual.Comparer));
            node.Attribute = [.. node.Attribute.Select(Bound).OfType<AttributeProto>()];
            for (int i = 0; i < node.Output.Count; i++) node.Output[i] = Defined(node.Output[i], actual);
        }
    }

    private void Rename(GraphProto subgraph, Dictionary<string, string> actual)
    {
        // What a subgraph defines hides what its function calls the same.
        IEnumerable<string> own = subgraph.Input.Select(static input => input.Name)
            .Concat(subgraph.Initializer.Select(static tensor => tensor.Name))
            .Concat(subgraph.SparseInitializer.Select(static tensor => tensor.Values?.Name ?? ""));
        foreach (string name in own.ToArray()) actual.Remove(name);
        foreach (ValueInfoProto input in subgraph.Input) input.Name = Defined(input.Name, actual);
        foreach (TensorProto tensor in subgraph.Initializer) tensor.Name = Defined(tensor.Name, actual);
        foreach (SparseTensorProto tensor in subgraph.SparseInitializer) tensor.Values!.Name = Defined(tensor.Values.Name, actual);
        Rename(subgraph.Node, actual);
        foreach (ValueInfoProto output in subgraph.Output) output.Name = actual.GetValueOrDefault(output.Name, "");
        subgraph.ValueInfo.RemoveAll(info => !actual.ContainsKey(info.Name));
        foreach (ValueInfoProto info in subgraph.ValueInfo) info.Name = actual[info.Name];
    }

    /// <summary>The new name of a value that is defined here, or one that the caller knows it by.</summary>
    private string Defined(string name, Dictionary<string, string> actual)
    {
        if (name.Length == 0) return name;
        if (!actual.TryGetValue(name, out string? known)) actual[name] = known = Own(name);
        return known;
    }

    private string Own(string name) => _names.Next($"{Cut(_call.DisplayName())}/{Cut(name)}");

    private static string Cut(string name) => name.Length <= LongestPart ? name : name[..LongestPart];

    /// <summary>An attribute with the value that the call or the function gives it; null where neither does.</summary>
    private AttributeProto? Bound(AttributeProto attribute)
    {
        if (attribute.RefAttrName is not { Length: > 0 } parameter) return attribute;
        AttributeProto? given = _call.GetAttribute(parameter) ?? _function.AttributeProto.Find(known => known.Name == parameter);
        if (given is null) return null;
        AttributeProto bound = given.ShallowCopy();
        bound.Name = attribute.Name;
        bound.T = given.T?.Clone(); // a tensor takes the name of its Constant
        return bound;
    }

    private NodeProto Identity(string input, string output)
    {
        var node = new NodeProto { OpType = "Identity", Name = Own("Identity") };
        node.Input.Add(input);
        node.Output.Add(output);
        return node;
    }
}
