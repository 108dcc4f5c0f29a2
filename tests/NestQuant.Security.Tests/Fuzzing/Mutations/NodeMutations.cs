using NestQuant.Onnx;

namespace NestQuant.Security.Tests.Fuzzing.Mutations;

/// <summary>Nodes that lack what they need, have too much of it, or stand elsewhere.</summary>
internal static class NodeMutations
{
    private static readonly string[] s_operators =
    [
        "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "ConvTranspose",
        "DequantizeLinear", "Dropout", "DynamicQuantizeLinear", "Expand", "Flatten", "Gather", "Gemm", "GlobalAveragePool",
        "GroupNLExpand", "Identity", "If", "LeakyRelu", "Loop", "MatMul", "Max", "MaxPool", "NestedConv", "NestedDequantizeLinear",
        "NestedFloatConv", "NestedFloatGemm", "NestedGather", "NestedGemm", "NestedQLinearConv", "OneHot", "Pad", "Pow", "QLinearAffine",
        "QLinearLookup", "QLinearResize", "NhwcDepthToSpace", "QuantizeLinear", "Range", "ReduceMean", "Relu",
        "Reshape", "Resize", "Scan", "Shape", "Sin", "Slice", "Softmax", "Split", "Squeeze", "Sum", "Tile", "Transpose", "Unsqueeze",
        "Where",
    ];

    private static readonly string[] s_domains = ["", "ai.onnx", "com.microsoft", "com.nestquant", "local", "x"];

    /// <summary>Changes of what single nodes read and write.</summary>
    public static IReadOnlyList<ModelMutation> Values { get; } =
    [
        Of("remove value", static (names, parts) => names.RemoveAt(parts.Random.Next(names.Count))),
        Of("remove values", static (names, _) => names.Clear()),
        Of("empty value", static (names, parts) => names[parts.Random.Next(names.Count)] = ""),
        Of("duplicate value", static (names, parts) => names.Insert(parts.Random.Next(names.Count + 1), parts.Random.Pick(names))),
        Of("swap values", static (names, parts) => Swap(names, parts.Random)),
        Of("other value", static (names, parts) => names[parts.Random.Next(names.Count)] = parts.Value()),
        Of("additional values", static (names, parts) =>
        {
            for (int count = Extremes.Count(parts.Random); count > 0; count--) names.Add(parts.Value());
        }),
    ];

    /// <summary>Changes of what nodes there are.</summary>
    public static IReadOnlyList<ModelMutation> Structure { get; } =
    [
        Of("other operator", static (node, parts) => node.OpType = parts.Random.Pick(s_operators)),
        Of("operator of another node", static (node, parts) => node.OpType = parts.Node()!.OpType),
        Of("unknown operator", static (node, parts) => node.OpType = Extremes.Text(parts.Random)),
        Of("other domain", static (node, parts) => node.Domain = parts.Random.Pick(s_domains)),
        Of("other node name", static (node, parts) => node.Name = parts.Random.OneIn(2) ? Extremes.Text(parts.Random) : parts.Node()!.Name),
        OfList("remove node", static (nodes, random) => nodes.RemoveAt(random.Next(nodes.Count))),
        OfList("duplicate node", static (nodes, random) => nodes.Insert(random.Next(nodes.Count + 1), random.Pick(nodes))),
        OfList("swap nodes", Swap),
        new("move node into another graph", static parts =>
        {
            List<NodeProto> from = parts.Random.Pick(parts.NodeLists), to = parts.Random.Pick(parts.NodeLists);
            if (from.Count == 0 || from == to) return false;
            NodeProto node = parts.Random.Pick(from);
            from.Remove(node);
            // A body that moved into itself would be a graph without an end.
            if (node.Attribute.Exists(static attribute => attribute.G is not null)) return true;
            to.Insert(parts.Random.Next(to.Count + 1), node);
            return true;
        }),
    ];

    private static void Swap<T>(List<T> items, SeededRandom random)
    {
        int a = random.Next(items.Count), b = random.Next(items.Count);
        (items[a], items[b]) = (items[b], items[a]);
    }

    private static ModelMutation Of(string name, Action<List<string>, ModelParts> change) => new(name, parts =>
    {
        if (parts.Node() is not { } node) return false;
        List<string> names = parts.Random.OneIn(4) ? node.Output : node.Input;
        if (names.Count == 0) return false;
        change(names, parts);
        return true;
    });

    private static ModelMutation Of(string name, Action<NodeProto, ModelParts> change) => new(name, parts =>
    {
        if (parts.Node() is not { } node) return false;
        change(node, parts);
        return true;
    });

    private static ModelMutation OfList(string name, Action<List<NodeProto>, SeededRandom> change) => new(name, parts =>
    {
        if (parts.NodeLists.Count == 0 || parts.Random.Pick(parts.NodeLists) is not { Count: > 0 } nodes) return false;
        change(nodes, parts.Random);
        return true;
    });
}
