using NestQuant.Onnx;

namespace NestQuant.Passes.OperatorSets;

/// <summary>Upsample, which Resize takes the place of in operator set 10.</summary>
internal sealed class UpsampleToResize : UpgradeRule
{
    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope)
    {
        node.OpType = "Resize";
        scope.MarkAsEnlarging(node);
    }
}
