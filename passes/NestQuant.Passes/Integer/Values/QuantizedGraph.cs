using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Values;

/// <summary>
/// The quantized tensors of one graph: which float values are dequantized, and with which parameters floats are quantized.
/// </summary>
internal sealed class QuantizedGraph(ModelProto model, GraphView view, UniqueNames names)
{
    private ValueExtents? _extents;
    private readonly Dictionary<(float Scale, bool IsScale, byte ZeroPoint), string> _scalars = [];

    /// <summary>The model that the graph belongs to.</summary>
    public ModelProto Model { get; } = model;

    /// <summary>The graph.</summary>
    public GraphView View { get; } = view;

    /// <summary>Names for what is added.</summary>
    public UniqueNames Names { get; } = names;

    /// <summary>The shapes of its values, as they were when they were first asked for.</summary>
    public ValueExtents Extents => _extents ??= new ValueExtents(View);

    /// <summary>The uint8 tensor that a float value is the dequantized form of; null for any other value.</summary>
    public QuantizedValue? Source(string value) =>
        View.Producer(value) is { } node && node.Is("DequantizeLinear") && QuantizationParameters.Of(node, View) is { } parameters
            ? new QuantizedValue(node.Input[0], parameters)
            : null;

    /// <summary>The parameters of a QuantizeLinear that makes uint8 with constant parameters per tensor; null for any other node.</summary>
    public QuantizationParameters? Quantizer(NodeProto node) => node.Is("QuantizeLinear") ? QuantizationParameters.Of(node, View) : null;

    /// <summary>Merges the QuantizeLinear nodes of a value that have the same parameters, so that the value has one consumer.</summary>
    /// <returns>Whether there were any.</returns>
    public bool ShareQuantizers()
    {
        var first = new Dictionary<(string Value, float Scale, byte ZeroPoint), NodeProto>();
        var removed = new HashSet<NodeProto>(ReferenceEqualityComparer.Instance);
        foreach (NodeProto node in View.Graph.Node.ToArray())
        {
            if (Quantizer(node) is not { } parameters
                || first.TryAdd((node.Input[0], parameters.Scale, parameters.ZeroPoint), node)
                || View.IsOutput(node.Output[0]))
                continue;
            View.ReplaceUses(node.Output[0], first[(node.Input[0], parameters.Scale, parameters.ZeroPoint)].Output[0]);
            removed.Add(node);
        }

        View.Remove(removed);
        return removed.Count > 0;
    }

    /// <summary>
    /// Why the uint8 form of a float value cannot replace it: something else reads the float. Null where only <paramref name="consumer"/>
    /// reads it.
    /// </summary>
    public string? WhyNeededInFloat(string value, NodeProto consumer)
    {
        if (View.IsOutput(value)) return $"its result '{value}' is an output of the graph";
        NodeProto? other = View.Consumers(value).FirstOrDefault(node => !ReferenceEquals(node, consumer));
        if (other is null) return null;
        return Quantizer(other) is null
            ? $"its float result is also read by {other.OpType} '{other.DisplayName()}'"
            : $"its result is also quantized with other parameters, by '{other.DisplayName()}'";
    }

    /// <summary>Scale and zero point as scalar initializers, for operators that have both as inputs.</summary>
    public (string Scale, string ZeroPoint) Scalars(QuantizationParameters parameters)
    {
        bool scaleFits = View.Constant(parameters.ScaleName) is { Dims.Count: 0 };
        bool zeroPointFits = View.Constant(parameters.ZeroPointName) is { Dims.Count: 0 };
        return (
            scaleFits
                ? parameters.ScaleName
                : Scalar(
                    (parameters.Scale, true, 0),
                    name => TensorProto.FromFloats(name, [], [parameters.Scale]),
                    parameters.ScaleName + "_scalar"),
            zeroPointFits ? parameters.ZeroPointName : ByteScalar(parameters.ZeroPoint, parameters.ScaleName + "_zero_point"));
    }

    /// <summary>A uint8 scalar, made once.</summary>
    public string ByteScalar(byte value, string wanted) =>
        Scalar((0, false, value), name => TensorProto.FromBytes(name, TensorDataType.UInt8, [], [value]), wanted);

    private string Scalar((float, bool, byte) key, Func<string, TensorProto> create, string wanted)
    {
        if (_scalars.TryGetValue(key, out string? known)) return known;
        TensorProto tensor = create(Names.Next(wanted));
        View.AddInitializer(tensor);
        return _scalars[key] = tensor.Name;
    }
}
