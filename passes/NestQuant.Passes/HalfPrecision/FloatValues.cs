using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.HalfPrecision;

/// <summary>Which values of a graph are float32, as far as declarations and the nodes that compute them tell.</summary>
/// <param name="view">The graph.</param>
/// <param name="outer">The values of the graph that holds it; null for a main graph.</param>
internal sealed class FloatValues(GraphView view, FloatValues? outer)
{
    /// <summary>Operators whose result is of the type of their first input.</summary>
    private static readonly HashSet<string> KeepsType = new(StringComparer.Ordinal)
    {
        "Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "LayerNormalization", "InstanceNormalization",
        "GroupNormalization", "RMSNormalization", "LpNormalization", "MeanVarianceNormalization", "LRN",
        "Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean", "Mod", "Neg", "Abs", "Sqrt", "Exp", "Log", "Reciprocal", "Erf",
        "Sin", "Cos", "Tan", "Floor", "Ceil", "Round", "Sign", "Clip", "Einsum", "CumSum",
        "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus",
        "Softsign", "Gelu", "Mish", "Swish", "Softmax", "LogSoftmax", "Hardmax", "Dropout", "Identity",
        "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "GridSample", "Resize", "Upsample",
        "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum",
        "ReduceLogSumExp", "TopK", "LSTM", "GRU", "RNN",
        "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Pad", "Concat", "Expand", "Tile", "Gather",
        "GatherElements", "GatherND", "ScatterElements", "ScatterND", "DepthToSpace", "SpaceToDepth", "Trilu",
    };

    private readonly Dictionary<string, bool> _known = Declared(view);

    /// <summary>Looks at the results of a node; nodes come in graph order.</summary>
    public void Enter(NodeProto node)
    {
        // Others than the first result, of MaxPool for example, may be indices.
        string result = node.Output.Count > 0 ? node.Output[0] : "";
        bool isFloat = node.Is("Cast")
            ? node.GetInt("to", 0) == (long)TensorDataType.Float
            : node.IsDefaultDomain() && KeepsType.Contains(node.OpType) && Contains(node.InputAt(0));
        _known.TryAdd(result, isFloat);
    }

    /// <summary>Whether a value is known to be float32.</summary>
    public bool Contains(string value) =>
        _known.TryGetValue(value, out bool isFloat) ? isFloat : !view.Defines(value) && outer?.Contains(value) == true;

    private static Dictionary<string, bool> Declared(GraphView view)
    {
        var declared = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (TensorProto tensor in view.Graph.Initializer) declared.TryAdd(tensor.Name, tensor.DataType == TensorDataType.Float);
        foreach (ValueInfoProto info in view.Graph.Input.Concat(view.Graph.ValueInfo))
            if (info.Type?.TensorType is { } type) declared.TryAdd(info.Name, type.ElemType == TensorDataType.Float);
        return declared;
    }
}
