using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps.Packing;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Operators;

/// <summary>
/// The shapes of values, as far as declarations and the nodes that compute them determine them: above all how many channels a value has.
/// </summary>
internal sealed class ValueExtents
{
    private readonly GraphView _view;
    private readonly Dictionary<string, long?[]> _known = new(StringComparer.Ordinal);

    /// <summary>Looks at all nodes of a graph, in order.</summary>
    public ValueExtents(GraphView view)
    {
        _view = view;
        foreach (ValueInfoProto declared in view.Graph.Input.Concat(view.Graph.ValueInfo))
            if (declared.Type?.TensorType?.Shape is { } shape) _known[declared.Name] = [.. shape.Dim.Select(Extent)];
        foreach (NodeProto node in view.Graph.Node)
        {
            long?[]? result = Result(node);
            foreach (string output in node.Output)
                if (result is not null && output.Length > 0) _known.TryAdd(output, result);
        }
    }

    /// <summary>The extents of a value, null where one is not known; null where not even their number is.</summary>
    public long?[]? Of(string value) =>
        _known.GetValueOrDefault(value) ?? _view.Constant(value)?.Dims.Select(static extent => (long?)extent).ToArray();

    private static long? Extent(TensorShapeProto.Dimension dimension) => dimension.DimValue is > 0 and var extent ? extent : null;

    private long?[]? Result(NodeProto node)
    {
        if (node.Schema() is { } schema) return OfOwn(node, schema);
        return node.OpType switch
        {
            "Conv" or "ConvTranspose" => OfConvolution(node),
            "Gemm" => OfProduct(node),
            "MatMul" when _view.Constant(node.InputAt(1)) is { Dims.Count: 2 } weight && Of(node.InputAt(0)) is [.. var outer, _] =>
                [.. outer, weight.Dims[1]],
            "Transpose" => Of(node.InputAt(0)) is { } shape && node.GetInts("perm") is { } order && order.Length == shape.Length
                ? Array.ConvertAll(order, axis => shape[axis])
                : null,
            "MaxPool" or "AveragePool" or "GlobalAveragePool" or "GlobalMaxPool" or MicrosoftOperators.NhwcMaxPool
                or MicrosoftOperators.QLinearAveragePool or MicrosoftOperators.QLinearGlobalAveragePool => OfPool(node),
            "Concat" => OfConcat(node, 0, 1),
            MicrosoftOperators.QLinearConcat => OfConcat(node, 2, 3),
            "Add" or "Sub" or "Mul" or "Div" or "Max" or "Min" => OfBroadcast(Of(node.InputAt(0)), Of(node.InputAt(1))),
            MicrosoftOperators.QLinearAdd or MicrosoftOperators.QLinearMul => OfBroadcast(Of(node.InputAt(0)), Of(node.InputAt(3))),
            _ => KeepsShape.Contains(node.OpType) ? Of(node.InputAt(0)) : null,
        };
    }

    private static readonly HashSet<string> KeepsShape = new(StringComparer.Ordinal)
    {
        "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Identity", "BatchNormalization", "Relu", "Clip", "LeakyRelu",
        "PRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus", "Softsign", "Gelu", "Mish", "Erf",
        "Softmax", "Abs", "Neg", "Exp", "Sqrt", "LayerNormalization", "InstanceNormalization",
    };

    private long?[]? OfOwn(NodeProto node, OperatorSchema schema)
    {
        long?[]? x = schema.HasInput(InputNames.X) ? Of(node.InputAt(InputNames.X)) : null;
        if (schema == OperatorSet.QLinearLookup || schema == OperatorSet.QLinearAffine) return x;
        if (schema.IsConvolution && !schema.HasInput(InputNames.Shift))
        {
            if (node.GetInts(AttributeNames.Shape) is not [var outputs, _, .. var kernel]) return null;
            var spatial = new long?[kernel.Length];
            return schema.HasQuantizedInput ? [null, .. spatial, outputs] : [null, outputs, .. spatial];
        }

        if (schema != OperatorSet.NestedGemm && schema != OperatorSet.NestedQLinearGemm && schema != OperatorSet.NestedFloatGemm)
            return null;
        return x is [.. var outer, _] && node.GetInts(AttributeNames.ChannelView) is [var groups, _, var channels, _]
            ? [.. outer, groups * channels]
            : null;
    }

    private long?[]? OfConvolution(NodeProto node) =>
        _view.Constant(node.InputAt(1)) is { } weight && WeightView.Of(node, weight) is { } channels
            ? [null, channels.OutputChannels, .. new long?[weight.Dims.Count - 2]]
            : null;

    private long?[] OfProduct(NodeProto node)
    {
        ChannelView? channels = _view.Constant(node.InputAt(1)) is { } weight ? WeightView.Of(node, weight) : null;
        return [null, channels?.OutputChannels];
    }

    private long?[]? OfPool(NodeProto node)
    {
        if (Of(node.InputAt(0)) is not { Length: > 2 } shape) return null;
        bool isLast = node.OpType == MicrosoftOperators.NhwcMaxPool || node.GetInt(MicrosoftOperators.ChannelsLast, 0) != 0;
        var spatial = new long?[shape.Length - 2];
        return isLast ? [shape[0], .. spatial, shape[^1]] : [shape[0], shape[1], .. spatial];
    }

    private long?[]? OfConcat(NodeProto node, int first, int step)
    {
        if (Of(node.InputAt(first)) is not { } shape) return null;
        long axis = node.GetInt("axis", 0);
        if (axis < 0) axis += shape.Length;
        if (axis < 0 || axis >= shape.Length) return null;
        long?[] result = [.. shape];
        for (int input = first + step; input < node.Input.Count; input += step)
            result[axis] += Of(node.Input[input]) is { } other && other.Length == shape.Length ? other[axis] : null;
        return result;
    }

    private static long?[]? OfBroadcast(long?[]? a, long?[]? b)
    {
        if (a is null || b is null) return null;
        var result = new long?[Math.Max(a.Length, b.Length)];
        for (int axis = 1; axis <= result.Length; axis++)
        {
            long? x = axis > a.Length ? 1 : a[^axis], y = axis > b.Length ? 1 : b[^axis];
            result[^axis] = x == 1 ? y : y == 1 ? x : x ?? y;
        }

        return result;
    }
}
