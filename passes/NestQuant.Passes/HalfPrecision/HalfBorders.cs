using NestQuant.Onnx;
using NestQuant.Onnx.Graph;

namespace NestQuant.Passes.HalfPrecision;

/// <summary>Where a model that computes in float32 still has values of 16 bits: those that callers feed and receive.</summary>
/// <param name="main">The main graph.</param>
internal sealed class HalfBorders(GraphView main)
{
    /// <summary>Whether a node makes an output of the model, which nothing else reads, from a wider value.</summary>
    public bool IsOutputCast(NodeProto node) =>
        node.Is("Cast")
            && HalfTensor.IsHalf((TensorDataType)node.GetInt("to", 0))
            && main.IsOutput(node.Output[0])
            && main.Producer(node.Output[0]) == node
            && main.Consumers(node.Output[0]).Count == 0;

    /// <summary>Whether all that reads a value makes it wider.</summary>
    public bool IsOnlyWidened(string value) => main.Consumers(value).All(IsWidening);

    private static bool IsWidening(NodeProto node) => node.Is("Cast") && !HalfTensor.IsHalf((TensorDataType)node.GetInt("to", 0));
}
