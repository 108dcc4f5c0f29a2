using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Nesting;

/// <summary>
/// Quantizes the activations that nested operators read, per tensor and once for all readers of a value in a graph: at run time, unless
/// the model itself holds the value in uint8.
/// </summary>
internal sealed class QuantizedActivations(UniqueNames names)
{
    private readonly Dictionary<(GraphView View, string Value), Quantized> _quantized = [];
    private readonly Dictionary<(GraphView View, string Value), string> _channelsLast = [];

    /// <summary>First default operator set with DynamicQuantizeLinear.</summary>
    public const int FirstOpset = 11;

    /// <summary>A quantized value: uint8 tensor, its scale and its zero point.</summary>
    public sealed record Quantized(string Value, string Scale, string ZeroPoint)
    {
        /// <summary>The three by the names of the inputs that read them.</summary>
        public IEnumerable<(string Input, string Value)> Inputs =>
            [(InputNames.X, Value), (InputNames.XScale, Scale), (InputNames.XZeroPoint, ZeroPoint)];
    }

    /// <summary>
    /// The uint8 form of a float value. The node that makes it goes in front of <paramref name="reader"/>, the first reader in graph order.
    /// </summary>
    public Quantized Quantize(GraphView view, string value, NodeProto reader)
    {
        if (_quantized.TryGetValue((view, value), out Quantized? known)) return known;
        if (DequantizedActivation.Of(view, value) is { } held) return _quantized[(view, value)] = held;
        var quantized = new Quantized(names.Next(value + "_quantized"), names.Next(value + "_scale"), names.Next(value + "_zero_point"));
        var node = new NodeProto { OpType = "DynamicQuantizeLinear", Name = names.Next(value + "_quantize") };
        node.Input.Add(value);
        node.Output.AddRange([quantized.Value, quantized.Scale, quantized.ZeroPoint]);
        view.InsertBefore(reader, node);
        return _quantized[(view, value)] = quantized;
    }

    /// <summary>The uint8 form of a float NC... value as N...C.</summary>
    public Quantized QuantizeChannelsLast(GraphView view, string value, int rank, NodeProto reader)
    {
        Quantized quantized = Quantize(view, value, reader);
        if (!_channelsLast.TryGetValue((view, value), out string? channelsLast))
        {
            channelsLast = names.Next(value + "_channels_last");
            view.InsertBefore(
                reader, Transpose(quantized.Value, channelsLast, ChannelsLast(rank), names.Next(value + "_to_channels_last")));
            _channelsLast[(view, value)] = channelsLast;
        }

        return quantized with { Value = channelsLast };
    }

    /// <summary>The node that turns N...C back into NC....</summary>
    public NodeProto ToChannelsFirst(string value, string result, int rank) =>
        Transpose(value, result, ChannelsFirst(rank), names.Next(result + "_to_channels_first"));

    private static NodeProto Transpose(string input, string output, long[] permutation, string name)
    {
        var node = new NodeProto { OpType = "Transpose", Name = name };
        node.Input.Add(input);
        node.Output.Add(output);
        node.Attribute.Add(AttributeProto.IntList("perm", permutation));
        return node;
    }

    private static long[] ChannelsLast(int rank) => [0, .. Enumerable.Range(2, rank - 2).Select(static axis => (long)axis), 1];

    private static long[] ChannelsFirst(int rank) => [0, rank - 1, .. Enumerable.Range(1, rank - 2).Select(static axis => (long)axis)];
}
