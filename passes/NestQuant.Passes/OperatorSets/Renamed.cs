using NestQuant.Onnx;

namespace NestQuant.Passes.OperatorSets;

/// <summary>An operator that has another name from a version on.</summary>
/// <param name="opType">The new name.</param>
internal sealed class Renamed(string opType) : UpgradeRule
{
    /// <inheritdoc/>
    public override void Apply(NodeProto node, UpgradeScope scope) => node.OpType = opType;
}
