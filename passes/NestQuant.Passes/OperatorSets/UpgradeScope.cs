using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.OperatorSets;

/// <summary>What rules ask about a graph while its nodes are rewritten from one version to the next, and what they add to it.</summary>
/// <param name="view">The graph as it is in the version before.</param>
/// <param name="additions">What the outermost graph has been given so far.</param>
internal sealed class UpgradeScope(GraphView view, UpgradeAdditions additions)
{
    private readonly ValueRanks _ranks = new(view);

    /// <summary>A free name.</summary>
    public string NextName(string wanted) => additions.Names.Next(wanted);

    /// <summary>The rank of a value; null where it is not known.</summary>
    public int? RankOf(string value) => _ranks.Of(value);

    /// <summary>Whether a node of this graph or of a subgraph reads a value, or the graph yields it.</summary>
    public bool IsRead(string value) => view.Consumers(value).Count > 0 || view.IsOutput(value);

    /// <summary>
    /// The floats that a value always has, be it an initializer or the result of a Constant; null where it is not constant.
    /// </summary>
    public float[]? Floats(string value)
    {
        TensorProto? tensor = view.Owner(value)?.Producer(value) is { } node
            ? node.Is("Constant") ? node.GetAttribute("value")?.T : null
            : view.Constant(value);
        return tensor is { DataType: TensorDataType.Float } ? tensor.ToFloats() : null;
    }

    /// <summary>The element type of a value that holds floats; null where it is not known.</summary>
    public TensorDataType? FloatTypeOf(string value)
    {
        if (additions.HasFloat32Only) return TensorDataType.Float;
        GraphView? owner = view.Owner(value);
        GraphProto? graph = owner?.Graph;
        IEnumerable<ValueInfoProto> declared = graph is null ? [] : [.. graph.Input, .. graph.Output, .. graph.ValueInfo];
        return owner?.Initializer(value)?.DataType
            ?? declared.FirstOrDefault(info => info.Name == value)?.Type?.TensorType?.ElemType;
    }

    /// <summary>Remembers that a Resize was an Upsample, which never makes an axis shorter.</summary>
    public void MarkAsEnlarging(NodeProto node) => additions.Enlarging.Add(node);

    /// <summary>Whether a Resize was an Upsample.</summary>
    public bool IsEnlarging(NodeProto node) => additions.Enlarging.Contains(node);

    /// <summary>Makes a node read a value at one of its inputs, those before it left out where it has none.</summary>
    public static void SetInput(NodeProto node, int index, string value)
    {
        while (node.Input.Count <= index) node.Input.Add("");
        node.Input[index] = value;
    }

    /// <summary>The name of a constant with the content of a tensor, one for all nodes that need it.</summary>
    /// <param name="wanted">Its name where it is new and that name is free.</param>
    /// <param name="tensor">The content.</param>
    public string Constant(string wanted, TensorProto tensor)
    {
        var key = (tensor.DataType, string.Join(',', tensor.Dims), Convert.ToHexString(tensor.GetBytes().Span));
        if (additions.Constants.TryGetValue(key, out string? known)) return known;
        tensor.Name = NextName(wanted);
        GraphView outermost = view;
        while (outermost.Outer is { } outer) outermost = outer;
        outermost.AddInitializer(tensor);
        return additions.Constants[key] = tensor.Name;
    }

    /// <summary>The name of a constant list of integers.</summary>
    public string Integers(string wanted, params ReadOnlySpan<long> values) =>
        Constant(wanted, TensorProto.FromInt64s("", [values.Length], values));

    /// <summary>Adds a node before another one and returns its only result.</summary>
    /// <param name="before">The other node; the new one is named after it.</param>
    /// <param name="opType">Operator.</param>
    /// <param name="inputs">What it reads.</param>
    /// <param name="attributes">Its attributes.</param>
    public string Insert(NodeProto before, string opType, string[] inputs, params AttributeProto[] attributes)
    {
        string suffix = "_" + opType.ToLowerInvariant();
        NodeProto node = Node(opType, NextName(before.DisplayName() + suffix), inputs, NextName(before.Output[0] + suffix), attributes);
        view.InsertBefore(before, node);
        return node.Output[0];
    }

    /// <summary>Adds a node after another one, which yields its result in the place of the other one.</summary>
    /// <param name="after">The other node; the new one is named after it.</param>
    /// <param name="opType">Operator.</param>
    /// <param name="inputs">What it reads beside the result of the other one.</param>
    public void Append(NodeProto after, string opType, params ReadOnlySpan<string> inputs)
    {
        string result = after.Output[0], suffix = "_" + opType.ToLowerInvariant(), name = NextName(after.DisplayName() + suffix);
        after.Output[0] = NextName(result + "_before" + suffix);
        view.Replace(after, after, Node(opType, name, [after.Output[0], .. inputs], result));
    }

    private static NodeProto Node(string opType, string name, string[] inputs, string output, params AttributeProto[] attributes)
    {
        var node = new NodeProto { OpType = opType, Name = name };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        node.Attribute.AddRange(attributes);
        return node;
    }
}
