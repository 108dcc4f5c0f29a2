using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Operators;

/// <summary>The number of dimensions of values, as far as the nodes that compute them determine it.</summary>
internal sealed class ValueRanks(GraphView view)
{
    private readonly Dictionary<string, int?> _known = new(StringComparer.Ordinal);

    /// <summary>The rank of a value; null where it is not known.</summary>
    public int? Of(string value)
    {
        if (_known.TryGetValue(value, out int? known)) return known;
        // Recursion to the producers would overflow the stack in a deep network: producers are entered first, in graph order.
        foreach (NodeProto node in view.Graph.Node)
            foreach (string output in node.Output)
                if (output.Length > 0) _known.TryAdd(output, OfResult(node));
        if (!_known.ContainsKey(value)) _known[value] = Declared(value);
        return _known[value];
    }

    private int? OfResult(NodeProto node) => node.Schema() is { } schema ? OfOwn(node, schema) : node.OpType switch
    {
        "Transpose" => node.GetInts("perm")?.Length ?? OfInput(node, 0),
        "Gemm" or "Flatten" => 2,
        "Reshape" => view.Constant(node.InputAt(1)) is { } shape ? (int)shape.ElementCount : null,
        "Squeeze" or "Unsqueeze" => OfSqueezed(node),
        "Add" or "Sub" or "Mul" or "Div" or "Pow" or "Max" or "Min" or "Sum" or "Mean" or "Where" => OfBroadcast(node),
        MicrosoftOperators.QLinearAdd or MicrosoftOperators.QLinearMul => Larger(OfInput(node, 0), OfInput(node, 3)),
        MicrosoftOperators.QLinearConcat => OfInput(node, 2),
        "ReduceMean" => node.GetInt("keepdims", 1) != 0 ? OfInput(node, 0) : null,
        _ => KeepsRank.Contains(node.OpType) ? OfInput(node, 0) : null,
    };

    private static readonly HashSet<string> KeepsRank = new(StringComparer.Ordinal)
    {
        "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Identity", "Conv", "ConvTranspose", "BatchNormalization", "Concat",
        "Split", "Slice", "Pad", "Resize",
        "CenterCropPad", "Tile", "DepthToSpace", "SpaceToDepth",
        "Relu", "Clip", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus", "Softsign",
        "Gelu", "Mish", "Erf", "Softmax", "Abs", "Neg", "Exp", "Sqrt",
        "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "LpPool", "GlobalLpPool", "LayerNormalization",
        "InstanceNormalization",
        MicrosoftOperators.QLinearAveragePool, MicrosoftOperators.QLinearGlobalAveragePool, MicrosoftOperators.NhwcMaxPool,
    };

    /// <summary>
    /// That of the weight for convolutions and for the weight itself, 1 for a bias, that of indices and a row for a table, else that of X.
    /// </summary>
    private int? OfOwn(NodeProto node, OperatorSchema schema)
    {
        if (schema == OperatorSet.NestedBias) return 1;
        if (schema == OperatorSet.NestedGather)
            return OfInput(node, node.PositionOf(InputNames.Indices)) + node.GetInts(AttributeNames.Shape)?.Length - 1;
        return schema.IsConvolution || schema == OperatorSet.NestedDequantizeLinear
            ? node.GetInts(AttributeNames.Shape)?.Length
            : OfInput(node, node.PositionOf(InputNames.X));
    }

    private int? OfSqueezed(NodeProto node)
    {
        int? axes = node.GetInts("axes")?.Length ?? (int?)view.Constant(node.InputAt(1))?.ElementCount;
        return node.Is("Squeeze") ? OfInput(node, 0) - axes : OfInput(node, 0) + axes;
    }

    private int? OfBroadcast(NodeProto node)
    {
        int? largest = node.Input.Count > 0 ? 0 : null;
        for (int input = 0; input < node.Input.Count; input++) largest = Larger(largest, OfInput(node, input));
        return largest;
    }

    private int? OfInput(NodeProto node, int input) =>
        _known.TryGetValue(node.InputAt(input), out int? known) ? known : Declared(node.InputAt(input));

    private static int? Larger(int? a, int? b) => a is { } left && b is { } right ? Math.Max(left, right) : null;

    private int? Declared(string value)
    {
        if (view.Constant(value) is { } tensor) return tensor.Dims.Count;
        ValueInfoProto? info = view.Graph.Input.Find(input => input.Name == value)
            ?? view.Graph.ValueInfo.Find(inner => inner.Name == value);
        return info?.Type?.TensorType?.Shape?.Dim.Count;
    }
}
