using NestQuant.Onnx;

namespace NestQuant.Passes.OperatorSets;

/// <summary>
/// BatchNormalization with a mean for every element, which ends with operator set 9. Where channels are the only axis beside the batch, it
/// is the same as one for every channel.
/// </summary>
internal sealed class SpatialNormalization : UpgradeRule
{
    private const string Spatial = "spatial";
    private const int Scale = 1;

    /// <inheritdoc/>
    public override string? WhyNot(NodeProto node, UpgradeScope scope) =>
        node.GetInt(Spatial, 1) != 0 || scope.RankOf(node.Input[Scale]) == 1
            ? null
            : "it normalises every element by itself (spatial is 0), which operator set 9 has no form for";

    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope) => node.Attribute.RemoveAll(static a => a.Name == Spatial);
}
