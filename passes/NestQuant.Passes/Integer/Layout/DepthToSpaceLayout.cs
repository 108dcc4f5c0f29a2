using NestQuant.Onnx;
using NestQuant.Onnx.Graph;
using NestQuant.RuntimeOps;
using NestQuant.RuntimeOps.Schema;

namespace NestQuant.Passes.Integer.Layout;

/// <summary>DepthToSpace of uint8, with the places of a block before the channels: channels last it moves whole runs of channels.</summary>
internal sealed class DepthToSpaceLayout : LayoutRule
{
    /// <inheritdoc/>
    public override bool Applies(NodeProto node, int rank, GraphView view) =>
        rank == 4 && node.GetString("mode", "DCR") == "DCR" && ElementBytes.Of(node.InputAt(0), view) == 1;

    /// <inheritdoc/>
    public override bool KeepsOperator => false;

    /// <inheritdoc/>
    public override void ChangeLayout(NodeProto node, LayoutChange change, GraphView view)
    {
        node.OpType = OperatorNames.NhwcDepthToSpace;
        node.Domain = NestQuantOps.Domain;
        node.Attribute.RemoveAll(static attribute => attribute.Name != AttributeNames.BlockSize);
    }
}
