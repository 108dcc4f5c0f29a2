using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>Bytes per element of activations, which are uint8 or float32.</summary>
internal static class ElementBytes
{
    /// <summary>Operators whose result is of the type of their first input.</summary>
    private static readonly HashSet<string> KeepsType = new(StringComparer.Ordinal)
    {
        "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Pad", "Resize", "Identity", "Concat", "MaxPool",
        "Expand", "Tile", "Gather", "DepthToSpace", "SpaceToDepth",
    };

    /// <summary>1 for a result of integer operators, also after operators that only move its elements; otherwise 4.</summary>
    public static int Of(string value, GraphView view)
    {
        NodeProto? producer = view.Producer(value);
        while (producer is not null && producer.IsDefaultDomain() && KeepsType.Contains(producer.OpType))
            producer = view.Producer(producer.InputAt(0));
        return producer switch
        {
            null => sizeof(float),
            { Domain: MicrosoftOperators.Domain } => MicrosoftOperators.MakesBytes(producer) ? sizeof(byte) : sizeof(float),
            _ when producer.Schema() is { } schema => schema.HasQuantizedOutput ? sizeof(byte) : sizeof(float),
            _ => producer.Is("QuantizeLinear") || producer.Is("DynamicQuantizeLinear") ? sizeof(byte) : sizeof(float),
        };
    }
}
