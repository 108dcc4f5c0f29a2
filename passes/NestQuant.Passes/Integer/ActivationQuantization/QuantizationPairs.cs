using NestQuant.Compiler.Calibration;
using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Nesting;

namespace NestQuant.Passes.Integer.ActivationQuantization;

/// <summary>Inserts QuantizeLinear and DequantizeLinear on the values of an <see cref="IntegerRegion"/>.</summary>
internal sealed class QuantizationPairs
{
    private readonly GraphView _view;
    private readonly IntegerRegion _region;
    private readonly UniqueNames _names;
    private readonly Dictionary<NodeProto, int> _positions = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, (string Scale, string ZeroPoint)> _parameters = new(StringComparer.Ordinal);

    private QuantizationPairs(ModelProto model, GraphView view, IntegerRegion region)
    {
        _view = view;
        _region = region;
        _names = new UniqueNames(model);
        foreach (NodeProto node in view.Graph.Node) _positions.Add(node, _positions.Count);
    }

    /// <summary>Quantizes every value that a node of the region needs in integers and that is not quantized already.</summary>
    /// <returns>The values that were quantized.</returns>
    public static IReadOnlySet<string> Insert(ModelProto model, GraphView view, IntegerRegion region, Lazy<ActivationRanges> ranges)
    {
        // Everything is decided before the first edit, since the region describes the unedited graph.
        var pairs = new QuantizationPairs(model, view, region);
        var values = view.Graph.Node.Where(region.Contains)
            .SelectMany(region.QuantizedAround)
            .Where(value => !region.IsQuantizedAlready(value))
            .ToHashSet(StringComparer.Ordinal);
        Pair[] planned =
        [
            .. view.Graph.Input.Select(static input => input.Name)
                .Concat(view.Graph.Node.SelectMany(static node => node.Output))
                .Where(values.Contains)
                .Select(pairs.Plan),
        ];
        foreach (Pair pair in planned) pairs.Insert(pair, ranges);
        return values;
    }

    private Pair Plan(string value)
    {
        NodeProto[] consumers = [.. _view.Consumers(value).Distinct().OrderBy(consumer => _positions[consumer])];
        // The result of a fused operator exists in uint8 only; the result of a float operator keeps its float consumers.
        bool forAll = _view.Producer(value) is { } producer && _region.Contains(producer) && !_view.IsOutput(value);
        if (!forAll) consumers = [.. consumers.Where(consumer => _region.ReadsAsIntegers(consumer, value))];
        return new Pair(value, _region.Root(value), forAll, consumers);
    }

    private void Insert(Pair pair, Lazy<ActivationRanges> ranges)
    {
        (string scale, string zeroPoint) = Parameters(pair.Root, ranges);
        string quantized = _names.Next(pair.Value + "_quantized"), dequantized = _names.Next(pair.Value + "_dequantized");
        // A Shape reads the uint8 value, so that the float values are not needed for it.
        foreach (NodeProto shape in pair.Consumers.Where(static consumer => consumer.Is("Shape")))
            Redirect(shape, pair.Value, quantized);
        if (pair.ForAll) _view.ReplaceUses(pair.Value, dequantized);
        else foreach (NodeProto consumer in pair.Consumers) Redirect(consumer, pair.Value, dequantized);
        _view.InsertBefore(
            pair.Consumers[0],
            Node("QuantizeLinear", _names.Next(pair.Value + "_quantize"), quantized, pair.Value, scale, zeroPoint),
            Node("DequantizeLinear", _names.Next(pair.Value + "_dequantize"), dequantized, quantized, scale, zeroPoint));
    }

    private (string Scale, string ZeroPoint) Parameters(string root, Lazy<ActivationRanges> ranges)
    {
        if (_parameters.TryGetValue(root, out (string Scale, string ZeroPoint) known)) return known;
        if (DequantizedActivation.Of(_view, root) is { } held) return _parameters[root] = (held.Scale, held.ZeroPoint);
        ActivationParameters parameters = ActivationParameters.Of(ranges.Value.Of(root)!.Value);
        TensorProto scale = TensorProto.FromFloats(_names.Next(root + "_scale"), [], [parameters.Scale]);
        TensorProto zeroPoint = TensorProto.FromBytes(_names.Next(root + "_zero_point"), TensorDataType.UInt8, [], [parameters.ZeroPoint]);
        _view.AddInitializer(scale);
        _view.AddInitializer(zeroPoint);
        return _parameters[root] = (scale.Name, zeroPoint.Name);
    }

    private void Redirect(NodeProto consumer, string value, string replacement)
    {
        for (int i = 0; i < consumer.Input.Count; i++)
            if (consumer.Input[i] == value) _view.SetInput(consumer, i, replacement);
    }

    private static NodeProto Node(string opType, string name, string output, params ReadOnlySpan<string> inputs)
    {
        var node = new NodeProto { OpType = opType, Name = name };
        foreach (string input in inputs) node.Input.Add(input);
        node.Output.Add(output);
        return node;
    }

    /// <summary>A value to be quantized.</summary>
    /// <param name="Value">Its name.</param>
    /// <param name="Root">The value whose scale and zero point it has.</param>
    /// <param name="ForAll">Whether all consumers, those in subgraphs included, are to read it dequantized.</param>
    /// <param name="Consumers">The consumers to redirect, in graph order.</param>
    private sealed record Pair(string Value, string Root, bool ForAll, NodeProto[] Consumers);
}
