using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.Passes.Operators;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>MaxPool of uint8, which has another operator for channels last.</summary>
internal sealed class MaxPoolLayout : LayoutRule
{
    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) =>
        node.Output.Count == 1 && ElementBytes.Of(node.InputAt(0), view) == 1;

    /// <inheritdoc/>
    public override bool KeepsOperator => false;

    /// <inheritdoc/>
    public override void ChangeLayout(NodeProto node, LayoutChange change, GraphView view)
    {
        node.OpType = MicrosoftOperators.NhwcMaxPool;
        node.Domain = MicrosoftOperators.Domain;
        // storage_order concerns the indices of maxima, which the node does not output.
        node.Attribute.RemoveAll(static attribute => attribute.Name == "storage_order");
    }
}

/// <summary>The averages of integers, which have an attribute for the order of axes.</summary>
internal sealed class AveragePoolLayout : LayoutRule
{
    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) => node.GetInt(MicrosoftOperators.ChannelsLast, 0) == 0;

    /// <inheritdoc/>
    public override bool KeepsOperator => false;

    /// <inheritdoc/>
    public override void ChangeLayout(NodeProto node, LayoutChange change, GraphView view) =>
        node.SetAttribute(AttributeProto.Int(MicrosoftOperators.ChannelsLast, 1));
}
