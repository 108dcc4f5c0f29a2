using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.GroupNL.Recognition;

/// <summary>The shape of the seed maps as far as the model declares it, without inferring the shapes of everything before them.</summary>
internal static class SeedShape
{
    /// <summary>Operators whose result has the shape of their first input.</summary>
    private static readonly HashSet<string> KeepShape = new(StringComparer.Ordinal)
    {
        "BatchNormalization", "Clip", "Dropout", "Elu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Relu", "Sigmoid", "Tanh",
    };

    /// <summary>
    /// The shape [N, C, H, W] of a value, null where a size is not known: from its type, or from the weight of the convolution that it
    /// comes from. Null when the number of channels is not known, or when the value has another number of axes.
    /// </summary>
    public static long?[]? Of(string value, GraphView view)
    {
        while (true)
        {
            if (view.Owner(value) is not { } owner) return null;
            NodeProto? producer = owner.Producer(value);
            long?[]? declared = Declared(value, owner.Graph);
            if (declared is not null && declared.Length != TracedMaps.Rank) return null;
            long? channels = producer is null ? null : OutputChannels(producer, owner);
            if (declared?[TracedMaps.ChannelAxis] is not null || channels is not null)
            {
                declared ??= new long?[TracedMaps.Rank];
                declared[TracedMaps.ChannelAxis] ??= channels;
                return declared;
            }

            if (producer is null || !producer.IsDefaultDomain() || !KeepShape.Contains(producer.OpType)) return null;
            (value, view) = (producer.InputAt(0), owner);
        }
    }

    private static long?[]? Declared(string value, GraphProto graph)
    {
        ValueInfoProto? info = graph.ValueInfo.Find(info => info.Name == value)
            ?? graph.Input.Find(info => info.Name == value)
            ?? graph.Output.Find(info => info.Name == value);
        return info?.Type?.TensorType?.Shape is { } shape ? [.. shape.Dim.Select(static dim => dim.DimValue)] : null;
    }

    private static long? OutputChannels(NodeProto node, GraphView view)
    {
        List<long>? weight = node.InputAt(1) is { Length: > 0 } name ? view.Owner(name)?.Initializer(name)?.Dims : null;
        if (weight is not { Count: TracedMaps.Rank }) return null;
        if (node.Is("Conv")) return weight[0];
        return node.Is("ConvTranspose") ? weight[1] * node.GetInt("group", 1) : null;
    }
}
